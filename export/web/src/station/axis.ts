// The ticks of the time axis of a plot, in the city's time zone: no label is there twice.
import { language, languages } from "../language";
import type { Period } from "./series";

// Tick is a moment in Unix seconds and its label, in which a line break begins the second line.
export interface Tick {
  at: number;
  label: string;
}

const hour = 3600; // seconds
const day = 24 * hour;
const apart = { "24h": 58, "7d": 62, "30d": 58, "365d": 46 } as const; // pixels that a label takes

// ticks returns the ticks between two moments on so many pixels.
export function ticks(period: Period, from: number, to: number, width: number, zone: string): Tick[] {
  const most = Math.max(2, Math.floor(width / apart[period]));
  if (period === "24h") return hours(from, to, most, zone);
  const all = midnights(from, to, zone);
  if (period === "365d") return months(all, most, zone);
  const step = Math.ceil(all.length / most);
  return all.filter((_, i) => i % step === 0).map((at) => ({ at, label: text(at, zone, { day: "numeric", month: "short" }) }));
}

// hours has the date below the first tick, and below the first one of another day.
function hours(from: number, to: number, most: number, zone: string): Tick[] {
  const size = [1, 2, 3, 6, 12].find((n) => (to - from) / hour / n <= most) ?? 24;
  const list: Tick[] = [];
  let last = "";
  for (let at = Math.ceil(from / hour) * hour; at <= to; at += hour) {
    const time = text(at, zone, { hour: "2-digit", minute: "2-digit" });
    if (Number(clockHour(at, zone)) % size !== 0) continue;
    const date = text(at, zone, { day: "numeric", month: "short" });
    list.push({ at, label: date === last ? time : `${time}\n${date}` });
    last = date;
  }
  return list;
}

// months has the year below the first tick and below each January.
function months(days: readonly number[], most: number, zone: string): Tick[] {
  const firsts = days.filter((at) => dayOf(at, zone).endsWith("-01"));
  const step = [1, 2, 3, 6].find((n) => firsts.length / n <= most) ?? 12;
  return firsts
    .filter((_, i) => i % step === 0)
    .map((at, i, shown) => {
      const [month, year] = [text(at, zone, { month: "short" }), dayOf(at, zone).slice(0, 4)];
      const before = shown[i - 1];
      return { at, label: before !== undefined && dayOf(before, zone).startsWith(year) ? month : `${month}\n${year}` };
    });
}

// midnights returns the beginnings of days in a time zone.
function midnights(from: number, to: number, zone: string): number[] {
  const list: number[] = [];
  for (let noon = Math.floor(from / day) * day + day / 2; noon < to + day; noon += day) {
    const at = midnight(dayOf(noon, zone), zone);
    if (at >= from && at <= to) list.push(at);
  }
  return list;
}

// midnight returns when a date, YYYY-MM-DD, begins in a time zone; where a clock change leaves midnight out, the hour after.
function midnight(date: string, zone: string): number {
  const guess = Date.parse(`${date}T00:00:00Z`) / 1000;
  for (let at = guess - 14 * hour; at <= guess + 14 * hour; at += hour) if (dayOf(at, zone) === date) return at;
  return guess;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatted(at: number, locale: string, options: Intl.DateTimeFormatOptions): string {
  const key = locale + JSON.stringify(options);
  const format = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, format);
  return format.format(at * 1000);
}

const text = (at: number, zone: string, options: Intl.DateTimeFormatOptions): string =>
  formatted(at, languages[language()].locale, { timeZone: zone, ...options });
const dayOf = (at: number, zone: string): string =>
  formatted(at, "en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
const clockHour = (at: number, zone: string): string => formatted(at, "en-GB", { timeZone: zone, hour: "2-digit" });
