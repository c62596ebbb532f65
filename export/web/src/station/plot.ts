// The plot of one quantity: measured, corrected, the neighbours' median and limits, with gaps as gaps, and the same as a table.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h } from "../dom";
import { amount, language, languages, name, number, digitsOf, t } from "../language";
import { table } from "../parts";
import { limits } from "./limits";
import { pinned, type Period, type Readings, type Series } from "./series";

interface Line {
  words: string;
  colour: string;
  dash?: number[];
  width: number;
  points?: boolean;
  step?: boolean;
}

const locale = (): string => languages[language()].locale;

// corrects reports whether the quantity's corrected values are others than the measured.
const corrects = (s: Series): boolean => s.corrected.some((v, i) => v !== null && v !== s.measured[i]);

// plot is the picture with its legend; readings are there for the last 24 hours only.
export function plot(s: Series, r: Readings | null, period: Period, zone: string): HTMLElement {
  const { lines, data } = content(s, r);
  const canvas = h("div", { class: "plot", role: "img", "aria-label": summary(s, period) });
  const draw = (): void => {
    canvas.replaceChildren();
    new uPlot(options(s, lines, canvas.clientWidth, zone, period), data, canvas);
  };
  let width = 0;
  new ResizeObserver(() => {
    if (canvas.isConnected && canvas.clientWidth !== width) {
      width = canvas.clientWidth;
      draw();
    }
  }).observe(canvas);
  const legend = h("ul", { class: "plot-legend" }, ...lines.map((line) => h("li", {}, sample(line), line.words)));
  return h("div", {}, legend, canvas);
}

function content(s: Series, r: Readings | null): { lines: Line[]; data: uPlot.AlignedData } {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const starts = s.start.map((at) => Date.parse(at) / 1000);
  const lines: Line[] = [];
  const tables: uPlot.AlignedData[] = [];
  if (r && r.at.length) {
    const counting = [...r.good, ...s.measured, ...s.corrected, ...s.neighbours, ...(limits[s.quantity] ?? []).map((l) => l.value)];
    tables.push([r.at, r.good, pinned(r.doubtful, counting)]);
    lines.push({ words: t("station.lineReading"), colour: colour("field"), width: 1 });
    lines.push({ words: t("station.lineDoubtful"), colour: colour("warn"), width: 0, points: true });
  }
  const hourly: (number | null)[][] = [];
  const add = (values: (number | null)[], line: Line) => {
    hourly.push(values);
    lines.push(line);
  };
  const mean = s.window === "1h" ? "station.lineHour" : "station.lineDay";
  if (corrects(s)) {
    add(s.corrected, { words: t("station.lineCorrected", { mean: t(mean) }), colour: colour("accent"), width: 2.5, step: true });
    if (!r) add(s.measured, { words: t("station.lineMeasured", { mean: t(mean) }), colour: colour("field"), width: 1.25, step: true });
  } else add(s.measured, { words: t(mean), colour: colour("accent"), width: 2.5, step: true });
  add(s.neighbours, { words: t("station.lineNeighbours"), colour: colour("ink"), width: 1.5, dash: [5, 4], step: true });
  tables.push([starts, ...hourly]);
  const drawn = limits[s.quantity] ?? [];
  const ends = [starts[0] ?? 0, Math.max(starts.at(-1) ?? 0, r?.at.at(-1) ?? 0)];
  if (drawn.length && starts.length) tables.push([ends, ...drawn.map((limit) => ends.map(() => limit.value))]);
  for (const limit of starts.length ? drawn : []) {
    lines.push({
      words: t(`station.limit_${limit.who}`, { value: number(limit.value, 0) }),
      colour: colour(limit.who === "eu" ? "warn" : "good"),
      width: 1,
      dash: [2, 3],
    });
  }
  return { lines, data: tables.length > 1 ? uPlot.join(tables) : (tables[0] as uPlot.AlignedData) };
}

function options(s: Series, lines: readonly Line[], width: number, zone: string, period: Period): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour("quiet"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1 },
    font: "12px system-ui, sans-serif",
  };
  const short = period === "24h" ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" };
  const when = new Intl.DateTimeFormat(locale(), { timeZone: zone, ...(short as Intl.DateTimeFormatOptions) });
  return {
    width: Math.max(width, 240),
    height: 260,
    padding: [12, 12, 0, 0],
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, low, high) => bounds(s.quantity, low, high) } },
    series: [{}, ...lines.map((line) => stroke(line))],
    axes: [
      { ...axis, space: 64, values: (_, splits) => splits.map((at) => when.format(at * 1000)) },
      { ...axis, size: 52, values: (_, splits) => splits.map((v) => number(v, Number.isInteger(v) ? 0 : 1)) },
    ],
  };
}

// bounds leaves air around the values; what cannot be negative starts at 0.
function bounds(quantity: string, low: number | null, high: number | null): [number, number] {
  const [from, to] = [low ?? 0, high ?? 1];
  const room = Math.max((to - from) * 0.08, 0.5);
  return [quantity.startsWith("pm") && from >= 0 ? 0 : from - room, to + room];
}

function stroke(line: Line): uPlot.Series {
  return {
    stroke: line.colour,
    width: line.width,
    ...(line.dash ? { dash: line.dash } : {}),
    ...(line.step && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
    points: { show: line.points ?? false, size: 5, fill: line.colour },
    spanGaps: false,
  };
}

// sample is a piece of the line for the legend.
function sample(line: Line): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 28 10", width: "28", height: "10", "aria-hidden": "true" }))
    svg.setAttribute(key, value);
  const mark = document.createElementNS(svg.namespaceURI, line.points ? "circle" : "line");
  const form = line.points
    ? { cx: "14", cy: "5", r: "3", fill: line.colour }
    : {
        x1: "0",
        x2: "28",
        y1: "5",
        y2: "5",
        stroke: line.colour,
        "stroke-width": String(line.width),
        "stroke-dasharray": (line.dash ?? []).join(" "),
      };
  for (const [key, value] of Object.entries(form)) mark.setAttribute(key, value);
  svg.append(mark);
  return svg;
}

const present = (values: readonly (number | null)[]): number[] => values.filter((v): v is number => v !== null);

// summary is the plot in one sentence, for who does not see it.
function summary(s: Series, period: Period): string {
  const own = present(corrects(s) ? s.corrected : s.measured);
  const heading = `${name(s.quantity)}, ${t(`station.period_${period}`)}`;
  if (!own.length) return `${heading}: ${t("station.noValues")}`;
  const say = (v: number) => amount(v, s.quantity, s.unit);
  return `${heading}: ${t("station.summary", { low: say(Math.min(...own)), high: say(Math.max(...own)), last: say(own.at(-1) ?? 0) })}`;
}

// values is the same as a table, the newest first.
export function values(s: Series, zone: string): HTMLElement {
  const when = new Intl.DateTimeFormat(locale(), {
    timeZone: zone,
    day: "numeric",
    month: "short",
    ...(s.window === "1h" ? { hour: "2-digit", minute: "2-digit" } : { year: "numeric" }),
  });
  const show = (v: number | null | undefined) => (v === null || v === undefined ? "–" : number(v, digitsOf(s.quantity)));
  const rows = s.start
    .map((at, i) => [when.format(new Date(at)), show(s.measured[i]), show(s.corrected[i]), show(s.neighbours[i])])
    .reverse();
  return table(
    `${name(s.quantity)} (${s.unit})`,
    [t(s.window === "1h" ? "station.hourFrom" : "station.dayFrom"), t("station.measured"), t("station.corrected"), t("station.neighbours")],
    rows,
  );
}
