import { expect, test } from "vitest";
import type { ComparisonHour } from "../api";
import { daily } from "./pairs";

const hour = (start: string, official_value: number, raw_mean: number, mean: number) =>
  ({ start, official_value, raw_mean, mean }) as ComparisonHour;

test("a day is the mean of its common hours", () => {
  expect(
    daily([hour("2026-05-02T01:00:00Z", 5, 6, 7), hour("2026-05-01T22:00:00Z", 10, 14, 8), hour("2026-05-01T23:00:00Z", 20, 16, 10)]),
  ).toEqual([
    { day: "2026-05-01", official: 15, raw: 15, ours: 9 },
    { day: "2026-05-02", official: 5, raw: 6, ours: 7 },
  ]);
});
