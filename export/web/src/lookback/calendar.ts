// A calendar of daily means: a row for each month of the last year, a column for each day of the month.
import { h, swatch } from "../dom";
import { amount, language, languages, number, t } from "../language";
import { breaks, scaleColours } from "../map/colours";
import { reader } from "../reader";
import { limits } from "../station/limits";
import { svg } from "../svg";
import { shifted } from "./compare";
import type { Day } from "./days";

const cell = 20; // pixels of the picture
const gap = 2;
const left = 74; // for the months
const top = 20; // for the days
const months = 12;
export const width = left + 31 * cell;
export const height = top + months * cell;

// Shade is the colour of means up to a bound.
interface Shade {
  colour: string;
  high: number; // Infinity for the last
}

// shades divides the means into at most six steps with round bounds.
export function shades(list: readonly Day[]): Shade[] {
  const inner = breaks(
    list.map((d) => d.mean),
    scaleColours.length,
  );
  const step = (scaleColours.length - 1) / Math.max(1, inner.length);
  return [...inner, Infinity].map((high, i) => ({ high, colour: scaleColours[Math.round(i * step)] ?? scaleColours[0] }));
}

const shadeOf = (all: readonly Shade[], mean: number): string => all.find((s) => mean <= s.high)?.colour ?? scaleColours[0];

// strictest returns the lowest limit of a quantity's daily means, Infinity where there is none.
export const strictest = (quantity: string): number => Math.min(...(limits[quantity] ?? []).map((l) => l.value));

// calendar makes the picture; a dot marks days above the strictest limit of the quantity.
export function calendar(list: readonly Day[], quantity: string, unit: string, today: string): HTMLElement {
  const means = new Map(list.map((d) => [d.date, d.mean]));
  const dates = datesUntil(today);
  const mark = svg("rect", { class: "mark", width: cell + 1, height: cell + 1, visibility: "hidden" });
  const picture = drawing(list, quantity, today, mark);
  const scale = (): number => picture.getBoundingClientRect().width / width;
  const say = (date: string): string => {
    const mean = means.get(date);
    return t("series.at", { time: longDate(date), values: mean === undefined ? t("series.nothing") : amount(mean, quantity, unit) });
  };
  return h(
    "div",
    { class: "stack" },
    reader(picture, {
      label: `${t("lookback.calendar")}. ${t("series.read")}`,
      count: dates.length,
      text: (i) => say(dates[i] ?? today),
      at(e) {
        const box = picture.getBoundingClientRect();
        const [x, y] = [(e.clientX - box.left) / scale() - left, (e.clientY - box.top) / scale() - top];
        const date = rowDates(today)[Math.floor(y / cell)]?.[Math.floor(x / cell)];
        return date ? place(mark, today, date, dates) : -1;
      },
      move: (i) => place(mark, today, dates[i] ?? today, dates),
    }),
    scaleLegend(list, quantity, unit),
  );
}

// drawing makes the calendar as a picture of its own, which can stand in a file.
export function drawing(list: readonly Day[], quantity: string, today: string, ...more: SVGElement[]): SVGElement {
  const colours = shades(list);
  const means = new Map(list.map((d) => [d.date, d.mean]));
  const limit = strictest(quantity);
  const cells = rowDates(today).flatMap((row, y) => {
    const first = row.find(Boolean) ?? today;
    const name = svg("text", { x: left - 8, y: top + y * cell + cell * 0.72, "text-anchor": "end", class: "name" }, monthName(first));
    return [
      name,
      ...row.flatMap((date, x) => {
        if (!date) return [];
        const mean = means.get(date);
        const at = { x: left + x * cell, y: top + y * cell, width: cell - gap, height: cell - gap, rx: 2 };
        const box = svg("rect", mean === undefined ? { ...at, class: "none", fill: "none" } : { ...at, fill: shadeOf(colours, mean) });
        if (mean === undefined || mean <= limit) return [box];
        const [cx, cy] = [at.x + (cell - gap) / 2, at.y + (cell - gap) / 2];
        return [box, svg("circle", { cx, cy, r: 4.4, fill: "#ffffff" }), svg("circle", { cx, cy, r: 3, fill: "#10201f" })];
      }),
    ];
  });
  const numbers = [1, 5, 10, 15, 20, 25, 31].map((d) =>
    svg("text", { x: left + (d - 0.5) * cell - gap / 2, y: top - 6, "text-anchor": "middle", class: "name" }, String(d)),
  );
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "calendar" }, ...numbers, ...cells, ...more);
}

// place puts the mark on a date and returns which of the dates it is.
function place(mark: SVGElement, today: string, date: string, dates: readonly string[]): number {
  const y = rowDates(today).findIndex((row) => row.includes(date));
  mark.setAttribute("x", String(left + (Number(date.slice(8)) - 1) * cell - 1.5));
  mark.setAttribute("y", String(top + y * cell - 1.5));
  mark.setAttribute("visibility", y < 0 ? "hidden" : "visible");
  return dates.indexOf(date);
}

// rowDates returns the dates of each row, by day of the month; undefined where a month is shorter, or the day is not over.
function rowDates(today: string): (string | undefined)[][] {
  const [year = 0, month = 0] = shifted(today, -1).split("-").map(Number);
  return Array.from({ length: months }, (_, i) => {
    const first = new Date(Date.UTC(year, month - months + i, 1)).toISOString().slice(0, 10);
    return Array.from({ length: 31 }, (_, d) => shifted(first, d)).map((date) =>
      date.slice(0, 7) === first.slice(0, 7) && date < today ? date : undefined,
    );
  });
}

const datesUntil = (today: string): string[] =>
  rowDates(today)
    .flat()
    .filter((d) => d !== undefined);

function scaleLegend(list: readonly Day[], quantity: string, unit: string): HTMLElement {
  const all = shades(list);
  const whole = all.every((s) => !Number.isFinite(s.high) || Number.isInteger(s.high));
  const bound = (v: number) => number(v, whole ? 0 : 1);
  const limit = strictest(quantity);
  const text = (s: Shade, i: number) => {
    if (all.length === 1) return "";
    if (i === 0) return t("map.upTo", { high: bound(s.high) });
    const low = bound(all[i - 1]?.high ?? 0);
    return Number.isFinite(s.high) ? t("map.between", { low, high: bound(s.high) }) : t("map.over", { low });
  };
  return h(
    "ul",
    { class: "calendar-scale" },
    ...all.map((s, i) => h("li", {}, swatch(s.colour), text(s, i))),
    unit === "1" ? null : h("li", { class: "quiet" }, unit),
    Number.isFinite(limit)
      ? h("li", {}, h("span", { class: "dot", "aria-hidden": "true" }), t("lookback.dot", { value: amount(limit, quantity, unit) }))
      : null,
  );
}

const monthName = (date: string): string => dated(date, { month: "short", year: "2-digit" });
const longDate = (date: string): string => dated(date, { dateStyle: "full" });
const dated = (date: string, options: Intl.DateTimeFormatOptions): string =>
  new Date(`${date}T12:00:00Z`).toLocaleDateString(languages[language()].locale, { timeZone: "UTC", ...options });
