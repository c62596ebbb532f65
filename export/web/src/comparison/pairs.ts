// What the page computes of the hours: the days' means.
import type { ComparisonHour } from "../api";

export interface Day {
  day: string; // UTC, 2026-05-01
  official: number;
  raw: number;
  ours: number;
}

// daily returns the means of the common hours of each day, ascending.
export function daily(hours: readonly ComparisonHour[]): Day[] {
  const days = new Map<string, { n: number; official: number; raw: number; ours: number }>();
  for (const hour of hours) {
    const day = hour.start.slice(0, 10);
    const sum = days.get(day) ?? { n: 0, official: 0, raw: 0, ours: 0 };
    sum.n += 1;
    sum.official += hour.official_value;
    sum.raw += hour.raw_mean;
    sum.ours += hour.mean;
    days.set(day, sum);
  }
  return [...days]
    .map(([day, { n, official, raw, ours }]) => ({ day, official: official / n, raw: raw / n, ours: ours / n }))
    .sort((a, b) => (a.day < b.day ? -1 : 1));
}
