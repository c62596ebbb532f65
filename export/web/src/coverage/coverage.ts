// The coverage, and how the map shows it.
import type { GeoJSONAnswer } from "../api";
import type { Key } from "../language";
import type { Cells } from "../map/airmap";
import type { Step } from "../map/colours";

export type Coverage = Pick<GeoJSONAnswer<"getCoverage">, "coverage" | "features" | "history">;
export type Cell = Coverage["features"][number];

// proposals returns the cells where the next stations help, the most helpful first.
export const proposals = (c: Coverage): Cell[] =>
  c.features.filter((f) => f.properties.rank !== null).sort((a, b) => (a.properties.rank ?? 0) - (b.properties.rank ?? 0));

export const months = (c: Coverage): NonNullable<Coverage["history"]> => c.history ?? [];

// kinds are the meanings of the three colours on the map.
export const kinds: readonly Key[] = ["coverage.missing", "coverage.proposed", "coverage.covered"];

const colours = ["#c9d1ce", "#f0a23c", "#2f7f86"] as const; // as in coverage.css

// kind returns the index of a cell's kind.
export const kind = (p: Cell["properties"]): number => (p.covered ? 2 : p.rank === null ? 0 : 1);

// coloured returns the coverage as cells with the legend that colours them.
export function coloured(c: Coverage): [Cells, Step[]] {
  const legend = colours.map((colour, i): Step => ({ low: null, high: i < 2 ? i : null, colour, class: null }));
  const features = c.features.map((f) => ({ ...f, properties: { cell: f.properties.cell, mean: kind(f.properties) } }));
  return [{ type: "FeatureCollection", features }, legend];
}
