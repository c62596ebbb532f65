import { beforeEach, expect, test } from "vitest";
import { setLanguage } from "../language";
import type { Health } from "../api";
import { changeText, heardText, statusText, uselessContact } from "./text";

beforeEach(() => setLanguage("de"));

// What the registry records, as ingest/registry writes it.
test.each([
  ["status", "active", "in Betrieb", "in service"],
  ["status", "suspended", "gesperrt", "suspended"],
  ["status", "haunted", "haunted", "haunted"],
  ["height", "4.5", "4,5 m", "4.5 m"],
  ["height", "12", "12 m", "12 m"],
  ["side", "sw", "Südwestseite", "south-west side"],
  ["side", "", "", ""],
  ["place", "CRS3035RES100mN3096600E4107200", "100-m-Quadrat N 3096600, E 4107200", "100 m square N 3096600, E 4107200"],
  [
    "place",
    "CRS3035RES100mN3096600E4107200 since 2020-05-01T10:00:00Z",
    "100-m-Quadrat N 3096600, E 4107200, seit 1. Mai 2020, 12:00",
    "100 m square N 3096600, E 4107200, since 1 May 2020, 12:00",
  ],
  ["sensors", "SDS011-BME280 (sds011, bme280)", "SDS011, BME280", "SDS011, BME280"],
  ["sensors", "own kit () since 2020-05-01T10:00:00Z", "own kit, seit 1. Mai 2020, 12:00", "own kit, since 1 May 2020, 12:00"],
  [
    "calibration",
    "no2 since 2020-05-01T10:00:00Z",
    "Stickstoffdioxid NO₂, seit 1. Mai 2020, 12:00",
    "Nitrogen dioxide NO₂, since 1 May 2020, 12:00",
  ],
  ["name", "Balkon since 2020-05-01T10:00:00Z", "Balkon since 2020-05-01T10:00:00Z", "Balkon since 2020-05-01T10:00:00Z"],
  ["device", "ttn", "ttn", "ttn"],
  ["dreamt", "of sheep", "of sheep", "of sheep"],
])("%s %s is %s and %s", (what, text, german, english) => {
  expect(changeText(what, text, "Europe/Berlin")).toBe(german);
  setLanguage("en");
  expect(changeText(what, text, "Europe/Berlin")).toBe(english);
});

test("a suspension says why where somebody did", () => {
  expect(statusText("suspended", "hängt in der Küche")).toMatch(/gesperrt.*Der Grund: „hängt in der Küche“$/);
  expect(statusText("suspended", "")).not.toContain("Grund");
  expect(statusText("paused")).toContain("Pause");
});

const heard = { time: "2026-05-01T12:02:31Z", taken: false, en: "nothing usable", de: "nichts Brauchbares" };

test("the last contact says when, over what, and what became of it", () => {
  const text = (over?: "mqtt" | "http") => heardText(over ? { ...heard, over } : heard, "Europe/Berlin").replace(/\S+ \S+ \S+, (?=14)/, "");
  expect(text("http")).toBe("Zuletzt gehört: 14:02:31 über HTTP, nichts Brauchbares");
  setLanguage("en");
  expect(text("mqtt")).toBe("Heard at 14:02:31 over MQTT, nothing usable");
  expect(text()).toBe("Heard at 14:02:31, nothing usable");
});

test.each([
  ["new", heard, 60, true],
  ["new", { ...heard, taken: true }, 0, false],
  ["new", null, 0, false],
  ["silent", heard, 14, true],
  ["silent", heard, 16, false],
  ["ok", heard, 0, false],
  ["check", heard, 0, false],
] as const)("%s, heard %o, %d minutes later: shown is %s", (state, heard, minutes, shown) => {
  const now = new Date(Date.parse("2026-05-01T12:02:31Z") + minutes * 60_000);
  expect(uselessContact({ state, heard } as Health, now)).toBe(shown ? heard : null);
});
