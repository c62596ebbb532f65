import { expect, test } from "vitest";
import { bounds, breaks, colourOf, dayBounds, indexColours, safeColours, scaleColours, stepOf, steps, type Scale } from "./colours";
import { limits } from "../station/limits";

const hour = (quantity: string, more: Partial<Scale> = {}): Scale => ({ quantity, window: "1h", index: "eaqi", palette: "index", ...more });

// Bounds and colours of the European Air Quality Index, ETC HE Report 2024/17.
test.each([
  ["pm2_5", -1, 1],
  ["pm2_5", 5, 1],
  ["pm2_5", 5.001, 2],
  ["pm2_5", 15, 2],
  ["pm2_5", 15.001, 3],
  ["pm2_5", 50, 3],
  ["pm2_5", 50.001, 4],
  ["pm2_5", 90, 4],
  ["pm2_5", 90.001, 5],
  ["pm2_5", 140, 5],
  ["pm2_5", 140.001, 6],
  ["pm10", 15, 1],
  ["pm10", 15.001, 2],
  ["pm10", 45, 2],
  ["pm10", 45.001, 3],
  ["pm10", 120, 3],
  ["pm10", 120.001, 4],
  ["pm10", 195, 4],
  ["pm10", 195.001, 5],
  ["pm10", 270, 5],
  ["pm10", 270.001, 6],
])("%s %d is class %d", (quantity, mean, want) =>
  expect(stepOf(steps(hour(quantity), []), mean)?.class).toEqual({ index: "eaqi", number: want }),
);

// Bounds of the German index, whole numbers, halves up (Pfäfflin et al. 2025).
test.each([
  ["pm2_5", 5.499, 1],
  ["pm2_5", 5.5, 2],
  ["pm2_5", 50.499, 4],
  ["pm2_5", 50.5, 5],
  ["pm10", 9.499, 1],
  ["pm10", 9.5, 2],
  ["no2", 100.5, 5],
])("%s %d is class %d of the German index", (quantity, mean, want) =>
  expect(stepOf(steps(hour(quantity, { index: "lqi" }), []), mean)?.class?.number).toBe(want),
);

test("a legend of the index has its classes and colours", () => {
  const legend = steps(hour("pm2_5"), []);
  expect(legend.map((s) => s.colour)).toEqual(["#50f0e6", "#50ccaa", "#f0e641", "#ff5050", "#960032", "#7d2181"]);
  expect(legend.map((s) => s.high)).toEqual([5, 15, 50, 90, 140, null]);
  for (const [quantity, list] of Object.entries(bounds.eaqi)) {
    for (const [i, bound] of list.entries()) expect(colourOf(steps(hour(quantity), []), bound)).toBe(indexColours[i]);
  }
  expect(steps(hour("pm2_5", { index: "lqi" }), []).map((s) => s.high)).toEqual([5, 15, 30, 50, null]);
});

// Neither index has classes for daily means; daily limits: Directive (EU) 2024/2881, Annex I, and WHO 2021.
test("a day has a neutral scale that does not depend on its values, with the limits among its bounds", () => {
  for (const index of ["eaqi", "lqi"] as const) {
    const legend = steps(hour("pm2_5", { window: "24h", index }), [1, 2, 3]);
    expect(legend.every((s) => s.class === null)).toBe(true);
    expect(legend.map((s) => s.colour)).toEqual([...scaleColours]);
    expect(legend).toEqual(steps(hour("pm2_5", { window: "24h", index, palette: "safe" }), []));
  }
  for (const [quantity, list] of Object.entries(limits)) for (const { value } of list) expect(dayBounds[quantity]).toContain(value);
  expect(Object.keys(dayBounds)).toEqual(Object.keys(bounds.eaqi));
});

test("breaks are round and lie between the values", () => {
  expect(breaks([4.2, 15.8], 6)).toEqual([6, 8, 10, 12, 14]);
  expect(breaks([55, 61.5], 6)).toEqual([56, 58, 60]);
  expect(breaks([-3.2, 2.9], 6)).toEqual([-2, 0, 2]);
  expect(breaks([7, 7], 6)).toEqual([]);
  expect(breaks([], 6)).toEqual([]);
});

test("every value has a colour of its legend", () => {
  const values = [-5.5, -1, 0, 3.3, 8, 21.9];
  const legend = steps(hour("temperature"), values);
  for (const v of values) expect(legend.map((s) => s.colour)).toContain(colourOf(legend, v));
  expect(colourOf(legend, -5.5)).not.toBe(colourOf(legend, 21.9));
});

// lightness is CIE L* of an sRGB colour, 0 black to 100 white (IEC 61966-2-1 and CIE 15).
function lightness(colour: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (y * 24389) / 27;
}

// A difference of 2.3 is just noticeable (Mahy et al. 1994); three of them side by side are not mistaken.
test.each([
  ["safe", safeColours],
  ["scale", scaleColours],
])("each colour of the %s palette is clearly darker than the one before", (_, colours) => {
  const steps = colours.map(lightness);
  expect(lightness("#ffffff")).toBeCloseTo(100);
  for (let i = 1; i < steps.length; i++) expect((steps[i - 1] ?? 0) - (steps[i] ?? 0), colours[i]).toBeGreaterThan(7);
});

test("a legend of the safe palette has the index's bounds", () => {
  const legend = steps(hour("pm10", { palette: "safe" }), []);
  expect(legend.map((s) => s.colour)).toEqual([...safeColours]);
  expect(legend.map((s) => s.high)).toEqual([15, 45, 120, 195, 270, null]);
});
