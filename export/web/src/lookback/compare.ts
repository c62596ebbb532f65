// The last seven days beside the seven before and those of a year ago, and the days of this year above a limit.
import { limits, type Limit } from "../station/limits";
import type { Day } from "./days";

// Week is the mean over the daily means of seven days; null where fewer than fewest have one.
export interface Week {
  mean: number | null;
  days: number;
}

export interface Comparison {
  last: Week; // the seven days up to yesterday
  before: Week;
  yearAgo: Week; // the same dates, a year earlier
}

const fewest = 5; // days of a week

// compare compares weeks before a date, which is not over.
export function compare(list: readonly Day[], today: string): Comparison {
  const week = (end: string): Week => {
    const from = shifted(end, -7);
    const means = list.filter((d) => d.date >= from && d.date < end).map((d) => d.mean);
    return { mean: means.length < fewest ? null : means.reduce((sum, m) => sum + m, 0) / means.length, days: means.length };
  };
  const [year = "", rest = ""] = [today.slice(0, 4), today.slice(4)];
  return { last: week(today), before: week(shifted(today, -7)), yearAgo: week(shifted(`${Number(year) - 1}${rest}`, 0)) };
}

// shifted returns the date some days later; one that a year does not have is the day after.
export const shifted = (date: string, days: number): string =>
  new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)) - 1, Number(date.slice(8)) + days)).toISOString().slice(0, 10);

// Above is a limit with how many daily means of a year were above it.
export interface Above extends Limit {
  days: number;
}

// above counts the days of a year above each limit of the quantity.
export const above = (list: readonly Day[], quantity: string, year: string): Above[] =>
  (limits[quantity] ?? []).map((limit) => ({
    ...limit,
    days: list.filter((d) => d.date.startsWith(year) && d.mean > limit.value).length,
  }));
