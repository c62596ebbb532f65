// The lines of a station's plot: what each is called, how it looks, and its values.
import uPlot from "uplot";
import { number, t } from "../language";
import { limits } from "./limits";
import { clamped, type Readings, type Series } from "./series";

export interface Line {
  label: string;
  colour: string;
  width: number; // pixels
  dash?: number[];
  points?: boolean;
  step?: boolean;
}

// Group is lines over the same times.
interface Group {
  at: number[]; // Unix seconds
  lines: { line: Line; values: (number | null)[] }[];
}

// colour is one of the style sheet's, which by night is another.
export const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// corrects reports whether the quantity's corrected values are others than the measured.
export const corrects = (s: Series): boolean => s.corrected.some((v, i) => v !== null && v !== s.measured[i]);

// content are the lines and their values as uPlot wants them: those of readings, which may be missing, then means, then limits.
export function content(s: Series, r: Readings | null): { lines: Line[]; data: uPlot.AlignedData } {
  const groups = [...(r?.at.length ? [single(s, r)] : []), means(s, r === null), ...limitGroups(s, r)];
  const tables = groups.map(({ at, lines }): uPlot.AlignedData => [at, ...lines.map((l) => l.values)]);
  return {
    lines: groups.flatMap((g) => g.lines.map((l) => l.line)),
    data: tables.length > 1 ? uPlot.join(tables) : (tables[0] as uPlot.AlignedData),
  };
}

// single are readings; those that do not count are points.
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

// means are hours or days: corrected where the quantity is, as they were measured where that is wanted too, and the neighbours'.
function means(s: Series, both: boolean): Group {
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
  return { at: starts(s), lines: [...own, { line: neighbours, values: s.neighbours }] };
}

// limitGroups are straight lines from the first time to the last; none where there is no time.
function limitGroups(s: Series, r: Readings | null): Group[] {
  const at = starts(s);
  const ends = [at[0] ?? 0, Math.max(at.at(-1) ?? 0, r?.at.at(-1) ?? 0)];
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

const starts = (s: Series): number[] => s.start.map((at) => Date.parse(at) / 1000);

const limitsOf = (s: Series) => limits[s.quantity] ?? [];
