import { beforeEach, expect, test } from "vitest";
import { setLanguage } from "../language";
import { ticks } from "./axis";

beforeEach(() => setLanguage("de"));

const seconds = (iso: string): number => Date.parse(iso) / 1000;
const labels = (...of: Parameters<typeof ticks>) => ticks(...of).map((t) => t.label.replace("\n", " / "));

test("24 hours say the date once for each day", () => {
  expect(labels("24h", seconds("2026-05-01T10:20:00Z"), seconds("2026-05-02T10:20:00Z"), 500, "Europe/Berlin")).toEqual([
    "15:00 / 1. Mai",
    "18:00",
    "21:00",
    "00:00 / 2. Mai",
    "03:00",
    "06:00",
    "09:00",
    "12:00",
  ]);
});

test.each([
  ["7d", 800, 7],
  ["7d", 300, 4],
  ["30d", 800, 10],
  ["365d", 800, 12],
  ["365d", 300, 6],
] as const)("%s on %d pixels have %d labels, none twice", (period, width, count) => {
  const days = { "7d": 7, "30d": 30, "365d": 365 }[period];
  const to = seconds("2026-05-20T10:20:00Z");
  const found = labels(period, to - days * 86_400, to, width, "Europe/Berlin");
  expect(found).toHaveLength(count);
  expect(new Set(found).size).toBe(count);
});

test("days begin at the city's midnight, also where the clock changes", () => {
  const at = ticks("7d", seconds("2026-03-27T10:00:00Z"), seconds("2026-04-01T10:00:00Z"), 800, "Europe/Berlin").map((t) => t.at);
  expect(at.map((s) => new Date(s * 1000).toISOString().slice(0, 16))).toEqual([
    "2026-03-27T23:00",
    "2026-03-28T23:00",
    "2026-03-29T22:00",
    "2026-03-30T22:00",
    "2026-03-31T22:00",
  ]);
});

test("a year says each year once", () => {
  expect(labels("365d", seconds("2025-11-20T00:00:00Z"), seconds("2026-03-20T00:00:00Z"), 800, "Europe/Berlin")).toEqual([
    "Dez / 2025",
    "Jan / 2026",
    "Feb",
    "Mär",
  ]);
});
