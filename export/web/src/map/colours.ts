// The colours of values: those of the city's index where it has classes for the quantity and the window, else a neutral scale.
import type { City, Index, Window } from "../api";

// Upper bounds of all classes but the last in µg/m³, hourly means; a bound belongs to its class. Sources: ETC HE Report 2024/17
// (European Air Quality Index, revision 2024); Umweltbundesamt, whole numbers (Pfäfflin et al. 2025, doi 10.60810/openumwelt-7990).
export const bounds: Record<Index, Record<string, readonly number[]>> = {
  eaqi: {
    pm2_5: [5, 15, 50, 90, 140],
    pm10: [15, 45, 120, 195, 270],
    no2: [10, 25, 60, 100, 150],
    o3: [60, 100, 120, 160, 180],
    so2: [20, 40, 125, 190, 275],
  },
  lqi: {
    pm2_5: [5, 15, 30, 50],
    pm10: [9, 27, 54, 90],
    no2: [10, 30, 60, 100],
    o3: [24, 72, 144, 240],
    so2: [10, 30, 60, 100],
  },
};

// dayBounds are the neutral scale of daily means in µg/m³, for which no index has classes. It is the same every day; the daily limits
// of Directive (EU) 2024/2881 and the WHO's daily guidelines are among its bounds.
export const dayBounds: Record<string, readonly number[]> = {
  pm2_5: [5, 10, 15, 25, 50],
  pm10: [10, 20, 30, 45, 90],
  no2: [10, 25, 50, 75, 100],
  o3: [30, 60, 90, 120, 180],
  so2: [10, 20, 40, 50, 100],
};

export const isPollutant = (quantity: string): boolean => quantity in bounds.eaqi;

// headlineIndex returns the index that the city shows.
export const headlineIndex = (city: City | null): Index => city?.properties.headline_index ?? "eaqi";

// The European index's own colours, good to extremely poor. The German one has published none, and takes the first five.
export const indexColours = ["#50f0e6", "#50ccaa", "#f0e641", "#ff5050", "#960032", "#7d2181"] as const;

// Colours for the common kinds of colour blindness, good to extremely poor: ColorBrewer's YlOrBr (C. Brewer, colorbrewer2.org).
// Each is clearly darker than the one before, so that they differ in grey as well. The index's own first two greens, and its last
// two purples, are hard to tell apart.
export const safeColours = ["#fee391", "#fec44f", "#fe9929", "#ec7014", "#cc4c02", "#8c2d04"] as const;

export const palettes = { index: indexColours, safe: safeColours } as const;

// One hue from light to dark, readable in grey as well.
export const scaleColours = ["#d3e5ef", "#b0d0e1", "#85b4cf", "#5391b7", "#2f6c95", "#174a6e"] as const;

// Step is one entry of a legend: the colour of values above low and up to high.
export interface Step {
  low: number | null;
  high: number | null;
  colour: string;
  class: { index: Index; number: number } | null; // from 1; null on a neutral scale
}

// Scale says what a legend is of.
export interface Scale {
  quantity: string;
  window: Window;
  index: Index;
  palette: keyof typeof palettes;
}

// steps returns a legend: the classes of the index; of daily means of pollutants a neutral scale; else at most six equal steps with
// round bounds over the values.
export function steps({ quantity, window, index, palette }: Scale, values: readonly number[]): Step[] {
  const classes = window === "24h" ? undefined : bounds[index][quantity];
  if (classes) {
    return between(classes).map((s, i) => ({ ...s, colour: palettes[palette][i] ?? "", class: { index, number: i + 1 } }));
  }
  const daily = window === "24h" ? dayBounds[quantity] : undefined;
  if (!daily && values.length === 0) return []; // without values there are no bounds
  const inner = daily ?? breaks(values, scaleColours.length);
  const last = scaleColours.length - 1;
  return between(inner).map((s, i) => ({
    ...s,
    colour: scaleColours[Math.round((i * last) / Math.max(1, inner.length))] ?? scaleColours[0],
    class: null,
  }));
}

// between returns the steps between bounds.
const between = (inner: readonly number[]): { low: number | null; high: number | null }[] =>
  Array.from({ length: inner.length + 1 }, (_, i) => ({ low: inner[i - 1] ?? null, high: inner[i] ?? null }));

// breaks returns round numbers between the smallest and the largest value that make at most n steps.
export function breaks(values: readonly number[], n: number): number[] {
  if (values.length === 0) return [];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const rough = Math.max((high - low) / n, 0.1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough - 1e-9) ?? 10 * power;
  const inner: number[] = [];
  for (let k = Math.floor(low / size) + 1; k * size < high && inner.length < n - 1; k++) {
    inner.push(Number((k * size).toFixed(6)));
  }
  return inner;
}

// stepOf returns the step of a value; a bound belongs to the step below it. The German index rounds to whole numbers first, halves up.
export const stepOf = (legend: readonly Step[], value: number): Step | undefined =>
  legend.find((step) => step.high === null || (step.class?.index === "lqi" ? Math.floor(value + 0.5) : value) <= step.high);

// colourOf returns the colour of a value in a legend.
export const colourOf = (legend: readonly Step[], value: number): string => stepOf(legend, value)?.colour ?? "#888888";
