// The lines of a station's plot: label, look and values.
import uPlot from "uplot";
import { number, t } from "../language";
import { forcedColours } from "../map/theme";
import { limits } from "./limits";
import type { Official } from "./official";
import { clamped, type Readings, type Series } from "./series";
import type { Plotted } from "./state";

export interface Line {
  label: string;
  colour: string;
  width: number; // pixels
  dash?: number[];
  points?: boolean;
  step?: boolean;
}

// Group is lines with the same times.
interface Group {
  at: number[]; // Unix seconds
  lines: { line: Line; values: (number | null)[] }[];
}

// What colours of the style sheet are where a person has colours of their own.
const forced: Record<string, string> = { accent: "LinkText", warn: "Highlight", "field-border": "GrayText", border: "GrayText" };

// colour returns a colour of the style sheet, in the light or the dark scheme.
export const colour = (name: string): string =>
  forcedColours.matches ? (forced[name] ?? "CanvasText") : getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// corrects reports whether corrected values differ from measured ones.
export const corrects = (s: Series): boolean => s.corrected.some((v, i) => v !== null && v !== s.measured[i]);

// content returns the lines and their values for uPlot: readings, if there are any, then means, then limits.
export function content({ series: s, readings: r, official }: Plotted): { lines: Line[]; data: uPlot.AlignedData } {
  const groups = [...(r?.at.length ? [single(s, r)] : []), means(s, official, r === null), ...limitGroups(s)];
  const tables = groups.map(({ at, lines }): uPlot.AlignedData => [at, ...lines.map((l) => l.values)]);
  return {
    lines: groups.flatMap((g) => g.lines.map((l) => l.line)),
    data: tables.length > 1 ? uPlot.join(tables) : (tables[0] as uPlot.AlignedData),
  };
}

// single returns the readings as a line, and the excluded ones as points.
function single(s: Series, r: Readings): Group {
  const counting = [...r.counted, ...s.measured, ...s.corrected, ...s.neighbours, ...limitsOf(s).map((l) => l.value)];
  return {
    at: r.at,
    lines: [
      { line: { label: t("station.lineReading"), colour: colour("field-border"), width: 1 }, values: r.counted },
      {
        line: { label: t("station.lineDoubtful"), colour: colour("warn"), width: 0, points: true },
        values: clamped(r.excluded, counting),
      },
    ],
  };
}

// means returns the means of hours or days: corrected where the quantity is, measured where it is not or where both are wanted, and
// the neighbours' and those of an official station.
function means(s: Series, official: Official | null, both: boolean): Group {
  const mean = t(s.window === "1h" ? "station.lineHour" : "station.lineDay");
  const main = { colour: colour("accent"), width: 2.5, step: true };
  const measured = { label: t("station.lineMeasured", { mean }), colour: colour("field-border"), width: 1.25, step: true };
  const own = corrects(s)
    ? [
        { line: { ...main, label: t("station.lineCorrected", { mean }) }, values: s.corrected },
        ...(both ? [{ line: measured, values: s.measured }] : []),
      ]
    : [{ line: { ...main, label: mean }, values: s.measured }];
  const neighbours = { label: t("station.lineNeighbours"), colour: colour("text"), width: 1.5, dash: [5, 4], step: true };
  const beside = official
    ? [
        {
          line: { label: officialText(official), colour: colour("official"), width: 1.5, dash: [9, 3, 2, 3], step: true },
          values: official.values,
        },
      ]
    : [];
  return {
    at: edges(s),
    lines: [...own, { line: neighbours, values: s.neighbours }, ...beside].map(({ line, values }) => ({
      line,
      values: values.flatMap((v) => [v, v]),
    })),
  };
}

const officialText = ({ name, metres }: Official): string => t("station.lineOfficial", { name, km: number(metres / 1000, 1) });

// limitGroups returns a straight line for each limit; none where there are no values. Limits are of daily means.
function limitGroups(s: Series): Group[] {
  const at = edges(s);
  const ends = [at[0] ?? 0, at.at(-1) ?? 0];
  const lines = limitsOf(s).map(({ who, value }) => ({
    line: {
      label: t(`station.limit_${who}`, { value: number(value, 0) }),
      colour: colour(who === "eu" ? "warn" : "good"),
      width: 1,
      dash: [2, 3],
    },
    values: ends.map(() => value),
  }));
  return at.length > 0 && lines.length > 0 ? [{ at: ends, lines }] : [];
}

// edges returns the start of each window and its last second, so that the last one before a gap is as wide as the others.
export const edges = (s: Series): number[] => starts(s).flatMap((at) => [at, at + windowSeconds(s) - 1]);

export const starts = (s: Series): number[] => s.start.map((at) => Date.parse(at) / 1000);

export const windowSeconds = (s: Series): number => (s.window === "1h" ? 3600 : 86_400);

// limitsOf returns the limits that the values can be compared with: those of the quantity, where these are daily means.
const limitsOf = (s: Series) => (s.window === "24h" && limits[s.quantity]) || [];
