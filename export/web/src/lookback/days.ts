// Daily means of a year and a week, of the city, a district, a cell or a station, as the API's tables have them.
import { request } from "../client";
import { cellCentre, parseCell } from "../map/laea";
import { dayOf, iso } from "../map/view";

// Place is what the means are of; a city needs no id.
export interface Place {
  kind: "city" | "district" | "cell" | "station";
  id: string;
}

// Day is a date, YYYY-MM-DD, and its mean; days without one are not there.
export interface Day {
  date: string;
  mean: number;
}

const day = 86_400_000; // milliseconds
const past = 373; // days: a year, and the week before its first day
const enough = 0.75; // share of the hours of a day that count, for its mean to be compared

// Means are days with the unit of their means.
export interface Means {
  unit: string;
  list: Day[];
}

// days requests the daily means up to now.
export async function days(place: Place, quantity: string, zone: string): Promise<Means> {
  const response = await request("GET", route(place, quantity, new Date()));
  return parse(await response.text(), place, zone);
}

// route returns the address of the table that has the means of a place.
export function route({ kind, id }: Place, quantity: string, now: Date): string {
  const q = `quantity=${encodeURIComponent(quantity)}&from=${iso(now.getTime() - past * day)}&to=${iso(now.getTime())}&format=csv`;
  if (kind === "station") return `/api/v1/stations/${encodeURIComponent(id)}/readings?resolution=1d&${q}`;
  if (kind !== "cell") return `/api/v1/${kind === "city" ? "city" : "districts"}?window=24h&${q}`;
  const cell = parseCell(id);
  if (!cell) throw new Error(id);
  const { lon, lat } = cellCentre(cell);
  const around = [lon - near, lat - near, lon + near, lat + near].map((n) => n.toFixed(5)).join(",");
  return `/api/v1/grid?window=24h&resolution=${cell.size}&bbox=${around}&${q}`;
}

const near = 0.0002; // degrees, less than to the middle of another cell

// parse reads the rows of a table that are of the place.
export function parse(csv: string, { kind, id }: Place, zone: string): Means {
  const [head = "", ...rows] = csv.trim().split("\n");
  const column = (name: string): number => head.split(",").indexOf(name);
  const [start, mean, coverage, area] = [column("window_start"), column("mean"), column("coverage"), column("area")];
  const list = rows.flatMap((row) => {
    const cells = split(row);
    const counts = kind !== "station" || Number(cells[coverage]) >= enough;
    if (!counts || (kind === "district" && cells[area] !== id)) return [];
    const noon = Date.parse(cells[start] ?? "") + day / 2; // of the day, whatever the clocks are
    return Number.isNaN(noon) ? [] : [{ date: dayOf(noon, zone), mean: Number(cells[mean]) }];
  });
  return { unit: split(rows[0] ?? "")[column("unit")] ?? "", list };
}

// split returns the fields of a line of CSV; one in quotes may have commas.
const split = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
