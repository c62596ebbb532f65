import { expect, test } from "vitest";
import { colourOf } from "../map/colours";
import { coloured, proposals, type Cell, type Coverage } from "./coverage";

const ring = [
  [6.96, 50.83],
  [6.97, 50.83],
  [6.97, 50.84],
  [6.96, 50.84],
  [6.96, 50.83],
];
const cell = (code: string, covered: boolean, rank: number | null): Cell => ({
  type: "Feature",
  geometry: { type: "Polygon", coordinates: [ring] },
  properties: { cell: code, covered, stations: covered ? 2 : 0, people: null, rank, distance_m: null, reason_de: "", reason_en: "" },
});
const coverage: Coverage = {
  coverage: {
    quantity: "pm2_5",
    window: "live",
    window_start: "2026-05-01T10:00:00Z",
    cells: 4,
    covered: 1,
    share: 0.25,
    people: null,
    people_reached: null,
    people_share: null,
  },
  features: [cell("a", false, 2), cell("b", true, null), cell("c", false, null), cell("d", false, 1)],
};

test("proposals come by rank", () => expect(proposals(coverage).map((c) => c.properties.cell)).toEqual(["d", "a"]));

test("covered, proposed and missing cells differ in colour", () => {
  const [grid, legend] = coloured(coverage);
  const [a, b, c, d] = grid.features.map((f) => colourOf(legend, f.properties.mean));
  expect(a).toBe(d);
  expect(new Set([a, b, c]).size).toBe(3);
});
