// The colours of values: those of the European Air Quality Index where it has classes for the quantity, else a neutral scale.

// Upper bounds of the classes good to very poor in µg/m³, hourly means; a bound belongs to its class.
// Source: ETC HE Report 2024/17 (European Air Quality Index, revision 2024).
export const bounds: Record<string, readonly number[]> = {
  pm2_5: [5, 15, 50, 90, 140],
  pm10: [15, 45, 120, 195, 270],
  no2: [10, 25, 60, 100, 150],
  o3: [60, 100, 120, 160, 180],
  so2: [20, 40, 125, 190, 275],
};

// The index's own colours, good to extremely poor.
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
  index: number | null; // class of the index, 1 to 6
}

// indexOf returns the class of a mean, 1 to 6; null where the index has none for the quantity.
export function indexOf(quantity: string, mean: number): number | null {
  const list = bounds[quantity];
  if (!list || Number.isNaN(mean)) return null;
  const class0 = list.findIndex((bound) => mean <= bound);
  return class0 < 0 ? 6 : class0 + 1;
}

// steps returns the legend of a quantity: the index's classes, or at most six equal steps with round bounds over the values.
export function steps(quantity: string, values: readonly number[], palette: keyof typeof palettes = "index"): Step[] {
  const list = bounds[quantity];
  if (list) {
    return palettes[palette].map((colour, i) => ({ low: list[i - 1] ?? null, high: list[i] ?? null, colour, index: i + 1 }));
  }
  if (values.length === 0) return []; // without values there are no bounds
  const inner = breaks(values, scaleColours.length);
  return Array.from({ length: inner.length + 1 }, (_, i) => ({
    low: inner[i - 1] ?? null,
    high: inner[i] ?? null,
    colour: scaleColours[Math.round((i * (scaleColours.length - 1)) / Math.max(1, inner.length))] ?? scaleColours[0],
    index: null,
  }));
}

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

// colourOf returns the colour of a value in a legend; a bound belongs to the step below it.
export function colourOf(legend: readonly Step[], value: number): string {
  return legend.find((step) => step.high === null || value <= step.high)?.colour ?? "#888888";
}
