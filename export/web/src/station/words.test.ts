import { beforeEach, expect, test } from "vitest";
import { use } from "../language";
import { changed, standing } from "./words";

beforeEach(() => use("de"));

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
  expect(changed(what, text, "Europe/Berlin")).toBe(german);
  use("en");
  expect(changed(what, text, "Europe/Berlin")).toBe(english);
});

test("a suspension says why where somebody did", () => {
  expect(standing("suspended", "hängt in der Küche")).toMatch(/gesperrt.*Der Grund: „hängt in der Küche“$/);
  expect(standing("suspended", "")).not.toContain("Grund");
  expect(standing("paused")).toContain("Pause");
});
