import { beforeEach, expect, test } from "vitest";
import { amount, chooseLanguage, clock, flagText, name, number, percent, t, setLanguage } from "./language";
import * as de from "./messages/de";
import * as en from "./messages/en";

beforeEach(() => setLanguage("de"));

test("both languages have the same sections and messages with the same places to fill", () => {
  expect(Object.keys(en)).toEqual(Object.keys(de));
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const section of Object.keys(de) as (keyof typeof de)[]) {
    const [german, english]: Record<string, string>[] = [de[section], en[section]];
    expect(Object.keys(english ?? {}), section).toEqual(Object.keys(german ?? {}));
    for (const [key, text] of Object.entries(german ?? {})) {
      expect(text, key).not.toBe("");
      expect(english?.[key], key).not.toBe("");
      expect(places(english?.[key] ?? ""), key).toEqual(places(text));
    }
  }
});

test.each([
  ["?lang=en", "de", ["de"], "en"],
  ["?lang=fr", "en", ["de"], "en"],
  ["", null, ["en-GB", "de"], "en"],
  ["", null, ["fr", "de-AT", "en"], "de"],
  ["", "nonsense", ["fr"], "de"],
])("%s, stored %s, browser %s speaks %s", (search, stored, browser, want) => expect(chooseLanguage(search, stored, browser)).toBe(want));

test("numbers follow the language", () => {
  expect(number(1234.56)).toBe("1.234,6");
  expect(amount(12.34, "pm10", "µg/m³")).toBe("12,3 µg/m³");
  expect(amount(60.4, "humidity", "%")).toBe("60 %");
  expect(percent(0.163)).toMatch(/^16\s%$/);
  expect(percent(0.0022)).toMatch(/^0,2\s%$/);
  setLanguage("en");
  expect(number(1234.56)).toBe("1,234.6");
  expect(percent(0.163)).toBe("16%");
});

test("times are the city's, with the day when it is another", () => {
  const now = new Date("2026-05-01T12:00:00Z");
  expect(clock("2026-05-01T10:00:05Z", "Europe/Berlin", true, now)).toBe("12:00:05");
  expect(clock("2026-04-30T10:00:00Z", "Europe/Berlin", false, now)).toBe("30. Apr. 2026, 12:00");
  expect(clock("2026-04-30T22:30:00Z", "Europe/Berlin", false, now)).toBe("00:30");
});

test("words for what a newer server may name", () => {
  expect(t("map.upTo", { high: "5" })).toBe("bis 5");
  expect(name("pm2_5")).toBe("Feinstaub PM2,5");
  expect(name("pollen")).toBe("pollen");
  expect(flagText(["range", "haunted"])).toBe("außerhalb des Messbereichs, haunted");
});
