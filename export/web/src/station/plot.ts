// The plot of one quantity: measured, corrected, the neighbours' median and, of days, limits, with gaps; and the same as a table.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h } from "../dom";
import { amount, language, languages, name, number, digitsOf, t } from "../language";
import { table } from "../parts";
import { reader } from "../reader";
import { svg } from "../svg";
import { ticks, type Tick } from "./axis";
import { colour, content, corrects, type Line } from "./lines";
import { middleOf, readout, windowAt } from "./readout";
import { alone, type Period, type Series } from "./series";
import type { Plotted } from "./state";

const locale = (): string => languages[language()].locale;

// plot makes the plot with its legend; readings are only there for 24 hours.
export function plot(plotted: Plotted, zone: string): HTMLElement {
  const { series: s, period } = plotted;
  const { lines, data } = content(plotted);
  const canvas = h("div", { class: "plot" });
  let u: uPlot | null = null;
  const draw = (): void => {
    u?.destroy();
    u = new uPlot(options(s, lines, canvas.clientWidth, zone, period), data, canvas);
  };
  const moment = (e: PointerEvent): number => (u ? u.posToVal(e.clientX - u.over.getBoundingClientRect().left, "x") : 0);
  let width = 0;
  new ResizeObserver(() => {
    if (canvas.isConnected && canvas.clientWidth !== width) {
      width = canvas.clientWidth;
      draw();
    }
  }).observe(canvas);
  const legend = h("ul", { class: "plot-legend" }, ...lines.map((line) => h("li", {}, sample(line), line.label)));
  const unit = s.unit === "1" ? null : h("p", { class: "quiet plot-unit", "aria-hidden": "true" }, s.unit);
  const read = reader(h("div", {}, unit, canvas), {
    label: `${summary(s, period)} ${t("series.read")}`,
    count: s.start.length,
    text: (i, e) => (i < 0 ? t("station.noValues") : readout(plotted, i, zone, e && moment(e))),
    at: (e) => windowAt(s, moment(e)),
    move: (i) => u?.setCursor({ left: u.valToPos(middleOf(s, i), "x"), top: -10 }),
  });
  return h("div", {}, legend, read);
}

function options(s: Series, lines: readonly Line[], width: number, zone: string, period: Period): uPlot.Options {
  const axis = {
    stroke: colour("muted"),
    grid: { stroke: colour("border"), width: 1 },
    ticks: { stroke: colour("border"), width: 1 },
    font: "12px system-ui, sans-serif",
  };
  const marks = (u: uPlot): Tick[] => ticks(period, u.scales.x?.min ?? 0, u.scales.x?.max ?? 0, width - yAxis, zone);
  return {
    width: Math.max(width, 240),
    height: 260,
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { y: { range: (_, low, high) => bounds(s.quantity, low, high) } },
    series: [{}, ...lines.map((line) => stroke(line))],
    axes: [
      { ...axis, size: 44, splits: (u) => marks(u).map((m) => m.at), values: (u) => marks(u).map((m) => m.label) },
      { ...axis, size: yAxis, values: (_, splits) => splits.map((v) => number(v, Number.isInteger(v) ? 0 : 1)) },
    ],
  };
}

const yAxis = 52; // pixels

// bounds returns the range of the y axis, with some space around the values; particles start at 0.
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
    points: {
      show: line.points ?? false,
      size: 5,
      fill: line.colour,
      ...(line.points || line.step ? {} : { filter: (u, i) => alone(u.data[i] ?? []) }),
    },
    spanGaps: false,
  };
}

// sample makes a piece of a line, for the legend.
function sample({ colour, width, dash = [], points }: Line): SVGElement {
  const line = { x1: 0, x2: 28, y1: 5, y2: 5, stroke: colour, "stroke-width": width, "stroke-dasharray": dash.join(" ") };
  const mark = points ? svg("circle", { cx: 14, cy: 5, r: 3, fill: colour }) : svg("line", line);
  return svg("svg", { viewBox: "0 0 28 10", width: 28, height: 10, "aria-hidden": "true" }, mark);
}

const present = (values: readonly (number | null)[]): number[] => values.filter((v): v is number => v !== null);

// summary returns the plot as a sentence, for screen readers.
function summary(s: Series, period: Period): string {
  const own = present(corrects(s) ? s.corrected : s.measured);
  const heading = `${name(s.quantity)}, ${t(`station.period_${period}`)}`;
  if (!own.length) return `${heading}: ${t("station.noValues")}`;
  const say = (v: number) => amount(v, s.quantity, s.unit);
  return `${heading}: ${t("station.summary", { low: say(Math.min(...own)), high: say(Math.max(...own)), last: say(own.at(-1) ?? 0) })}`;
}

// values makes a table of the same values, the newest first.
export function values({ series: s, official }: Plotted, zone: string): HTMLElement {
  const when = new Intl.DateTimeFormat(locale(), {
    timeZone: zone,
    day: "numeric",
    month: "short",
    ...(s.window === "1h" ? { hour: "2-digit", minute: "2-digit" } : { year: "numeric" }),
  });
  const show = (v: number | null | undefined) => (v === null || v === undefined ? "–" : number(v, digitsOf(s.quantity)));
  const rows = s.start
    .map((at, i) => [
      when.format(new Date(at)),
      show(s.measured[i]),
      show(s.corrected[i]),
      show(s.neighbours[i]),
      ...(official ? [show(official.values[i])] : []),
    ])
    .reverse();
  return table(
    `${name(s.quantity)} (${s.unit})`,
    [
      t(s.window === "1h" ? "station.hourFrom" : "station.dayFrom"),
      t("station.measured"),
      t("station.corrected"),
      t("station.neighbours"),
      ...(official ? [official.name] : []),
    ],
    rows,
  );
}
