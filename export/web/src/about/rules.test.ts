import { expect, test } from "vitest";
import { factor, defaultRules, threshold } from "./rules";

// Crilley et al., AMT 11:709 (2018), with κ 0.4 and a density of 1.65 g/cm³.
test.each([
  [50, 1.242],
  [80, 1.97],
  [95, 5.606],
  [100, 5.606],
])("at %d %% particles show %d times too much", (humidity, want) => {
  expect(factor(0.4, humidity)).toBeCloseTo(want, 3);
  expect(factor(0, humidity)).toBe(1);
});

test("what the server says wins", () => {
  expect(threshold(defaultRules, "stuck.particles")).toBe(8);
  expect(
    threshold(
      { ...defaultRules, thresholds: [{ key: "quality.stuck.particles", value: 6, unit: "h", what: "", source: "" }] },
      "stuck.particles",
    ),
  ).toBe(6);
});
