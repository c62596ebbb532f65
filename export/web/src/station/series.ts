// A station's values over a period, for the plot and its table.
import type { Answer } from "../api";
import { send, request } from "../client";

export type Period = "24h" | "7d" | "30d" | "365d";
export const periods: readonly Period[] = ["24h", "7d", "30d", "365d"];

const days: Record<Period, number> = { "24h": 1, "7d": 7, "30d": 30, "365d": 365 };

// maxGap is the time in seconds between two readings after which the line is interrupted: about six messages of a usual kit. Of
// one that sends more rarely it is three times its interval.
const maxGap = 900;

// Series has one entry a window, null where there is none.
export type Series = Answer<"getSeries">;

// Readings are single values over time in Unix seconds; a null interrupts the line. Excluded values have a flag that excludes them
// from averages.
export interface Readings {
  at: number[];
  counted: (number | null)[];
  excluded: (number | null)[];
}

export const startOf = (period: Period, now: Date): Date => new Date(now.getTime() - days[period] * 86_400_000);

export function series(id: string, quantity: string, period: Period, now: Date, key?: string): Promise<Series> {
  const window = period === "365d" ? "24h" : "1h";
  return send(
    "GET",
    `/api/v1/stations/${encodeURIComponent(id)}/series?quantity=${encodeURIComponent(quantity)}&window=${window}&from=${timestamp(startOf(period, now))}&to=${timestamp(now)}`,
    undefined,
    key,
  );
}

export const timestamp = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

export const readingsRoute = (id: string, from: Date, to: Date, format: string, quantity = ""): string =>
  `/api/v1/stations/${encodeURIComponent(id)}/readings?from=${timestamp(from)}&to=${timestamp(to)}&format=${format}${quantity ? `&quantity=${encodeURIComponent(quantity)}` : ""}`;

export async function readings(id: string, quantity: string, now: Date, interval: number, key?: string): Promise<Readings> {
  const response = await request("GET", readingsRoute(id, startOf("24h", now), now, "csv", quantity), { key });
  return parse(await response.text(), Math.max(maxGap, 3 * interval));
}

// alone returns where a value has none before or after it, so that a line through the values does not show it. What is undefined has
// no time of its own in a series that was joined with others.
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  const own = Array.from(values, (v, i) => [v, i] as const).filter(([v]) => v !== undefined);
  return own.flatMap(([v, i], n) => (v === null || own[n - 1]?.[0] != null || own[n + 1]?.[0] != null ? [] : [i]));
}

// parse reads CSV of one quantity: time,station,lon,lat,quantity,value,unit,flags,checks. The flag humid alone does not exclude a value.
export function parse(csv: string, gap = maxGap): Readings {
  const found: Readings = { at: [], counted: [], excluded: [] };
  for (const line of csv.split("\n").slice(1)) {
    const [time, , , , , value, , flags = ""] = line.split(",");
    if (!time || value === undefined) continue;
    const at = Date.parse(time) / 1000;
    const last = found.at.at(-1);
    if (last !== undefined && at - last > gap) push(found, last + gap / 2, null, null);
    const counts = flags === "" || flags === "humid";
    push(found, at, counts ? Number(value) : null, counts ? null : Number(value));
  }
  return found;
}

function push(r: Readings, at: number, counted: number | null, excluded: number | null): void {
  r.at.push(at);
  r.counted.push(counted);
  r.excluded.push(excluded);
}

// clamped limits excluded values to the range of the counting ones, so that one of 1999.9 does not flatten all others. Without
// counting values they stay as they are.
export function clamped(excluded: readonly (number | null)[], counting: readonly (number | null)[]): (number | null)[] {
  let [low, high] = [Infinity, -Infinity];
  for (const v of counting) if (v !== null) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return low > high ? [...excluded] : excluded.map((v) => (v === null ? null : Math.min(Math.max(v, low), high)));
}
