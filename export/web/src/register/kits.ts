// The kits to choose from, with their usual sensors and the settings that fit them.

export interface Kit {
  id: "airrohr" | "airgradient" | "esphome" | "tasmota" | "lorawan" | "other"; // its picture is /kits/{id}.svg
  title: string; // the same in every language; empty where the messages have it
  sensors: string[];
  recipe: string; // name of its settings in the API's answer
}

export const kits: readonly Kit[] = [
  { id: "airrohr", title: "airRohr", sensors: ["sds011", "bme280"], recipe: "airrohr" },
  { id: "airgradient", title: "AirGradient", sensors: ["pms5003", "scd41"], recipe: "airgradient" },
  { id: "esphome", title: "ESPHome", sensors: ["sps30", "bme280"], recipe: "esphome" },
  { id: "tasmota", title: "Tasmota", sensors: ["pms5003", "bme280"], recipe: "tasmota" },
  { id: "lorawan", title: "LoRaWAN", sensors: ["sps30", "bme280"], recipe: "ttn" },
  { id: "other", title: "", sensors: [], recipe: "mosquitto" },
];

// sensors are those whose measuring ranges the server knows, ordered by what they measure.
export const sensors: readonly string[] = [
  "sds011",
  "pms5003",
  "pms5003-cf1", // its factory series
  "pms7003",
  "sps30",
  "sen54",
  "sen55",
  "bme280",
  "dht22",
  "ds18b20",
  "scd30",
  "scd41",
  "dnms",
];

// kitName returns the name of a kit in the data.
export const kitName = (kit: Kit, chosen: readonly string[]): string => [kit.id, ...chosen].join("-");
