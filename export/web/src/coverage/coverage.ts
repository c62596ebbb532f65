// The coverage as the API has it, and how the map shows it.
import type { Feature, Polygon } from "geojson";
import type { CellProperties, Grid } from "../api";
import type { Key } from "../language";
import type { Step } from "../map/colours";

export interface CoveredCell {
  cell: string;
  covered: boolean;
  stations: number;
  people: number | null;
  rank: number | null; // of the proposal, 1 helps most
  distance_m?: number | null; // to the nearest station
  reason_en?: string;
  reason_de?: string;
}

export type Cell = Feature<Polygon, CoveredCell>;

// Share is how much is covered; people are null where no census table is known.
export interface Share {
  cells: number;
  covered: number;
  share: number;
  people: number | null;
  people_reached: number | null;
  people_share: number | null;
}

export interface Coverage {
  coverage: Share;
  history?: (Share & { start: string; days: number })[];
  features: Cell[];
}

// proposals are the cells where the next stations help, the most helpful first.
export const proposals = (c: Coverage): Cell[] =>
  c.features.filter((f) => f.properties.rank !== null).sort((a, b) => (a.properties.rank ?? 0) - (b.properties.rank ?? 0));

export const months = (c: Coverage): (Share & { start: string })[] => c.history ?? [];

// scale names what the map's three colours mean: missing, proposed, covered.
export const scale: readonly Key[] = ["coverage.missing", "coverage.proposed", "coverage.covered"];

const colours = ["#c9d1ce", "#f0a23c", "#2f7f86"] as const; // as in coverage.css

// kind is a cell's place in that scale.
export const kind = (p: CoveredCell): number => (p.covered ? 2 : p.rank === null ? 0 : 1);

// paint is the coverage as cells with the legend that colours them.
export function paint(c: Coverage): [Grid, Step[]] {
  const legend = colours.map((colour, i): Step => ({ low: null, high: i < 2 ? i : null, colour, index: null }));
  const features = c.features.map((f) => ({ ...f, properties: { cell: f.properties.cell, mean: kind(f.properties) } as CellProperties }));
  return [{ type: "FeatureCollection", features }, legend];
}
