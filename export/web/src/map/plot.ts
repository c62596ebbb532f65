// A small plot of a cell's last 24 hours, with the same as a sentence and as a table.
import type { Trend, TrendHour } from "../api";
import { h } from "../dom";
import { amount, clock, digitsOf, language, languages, name, number, t } from "../language";
import { isPollutant } from "./colours";
import { svg } from "../svg";

const width = 320;
const height = 96;
const dated = { day: "numeric", month: "short" } as const; // the first and the last hour, which are of two days
const margin = { left: 34, right: 6, top: 8, bottom: 18 }; // room for the labels

// plot makes the figure: measured values dotted, corrected ones as a line, hours without a value as gaps.
export function plot(trend: Trend, zone: string): HTMLElement {
  const known = trend.hours.filter((x) => x.mean !== null);
  const unit = trend.unit === "1" ? "" : ` (${trend.unit})`;
  const caption = h("figcaption", { class: "label" }, t("plot.title", { quantity: name(trend.quantity) }) + unit);
  if (known.length === 0) return h("figure", { class: "plot" }, caption, h("p", { class: "quiet" }, t("plot.none")));
  const raw = known.some((x) => x.raw_mean !== x.mean);
  return h(
    "figure",
    { class: "plot" },
    caption,
    drawing(trend, zone),
    raw
      ? h(
          "p",
          { class: "quiet keys" },
          h("span", { class: "key corrected", "aria-hidden": "true" }),
          t("plot.corrected"),
          " ",
          h("span", { class: "key raw", "aria-hidden": "true" }),
          t("plot.raw"),
        )
      : null,
    values(trend, zone, raw),
  );
}

// summary returns the plot as a sentence.
export function summary(trend: Trend, zone: string): string {
  const known = trend.hours.filter((x): x is TrendHour & { mean: number } => x.mean !== null);
  const last = known[known.length - 1];
  if (!last) return t("plot.none");
  const means = known.map((x) => x.mean);
  const value = (v: number) => amount(v, trend.quantity, trend.unit);
  return t("plot.summary", {
    low: value(Math.min(...means)),
    high: value(Math.max(...means)),
    last: value(last.mean),
    time: clock(last.time, zone),
    hours: String(known.length),
    all: String(trend.hours.length),
  });
}

function drawing(trend: Trend, zone: string): SVGElement {
  const all = trend.hours.flatMap((x) => [x.mean, x.raw_mean]).filter((v): v is number => v !== null);
  const floor = isPollutant(trend.quantity) ? 0 : Math.floor(Math.min(...all));
  const top = Math.max(...all, floor + 1);
  const x = (i: number) => margin.left + (i / Math.max(1, trend.hours.length - 1)) * (width - margin.left - margin.right);
  const y = (v: number) => height - margin.bottom - ((v - floor) / (top - floor)) * (height - margin.top - margin.bottom);
  const line = (pick: (hour: TrendHour) => number | null) =>
    path(
      trend.hours.map((hour, i) => [x(i), pick(hour)] as const),
      y,
    );
  const digits = top - floor < 10 ? digitsOf(trend.quantity) : 0;
  const marks = [floor, top].flatMap((v) => [
    svg("line", { x1: margin.left, x2: width - margin.right, y1: y(v), y2: y(v), class: "rule" }),
    svg("text", { x: margin.left - 5, y: y(v) + 4, "text-anchor": "end" }, number(v, digits)),
  ]);
  const { locale } = languages[language()];
  const times = ([0, 12, 23] as const).flatMap((i) => {
    const at = trend.hours[i]?.time;
    const [anchor, date] = { 0: ["start", dated], 12: ["middle", {}], 23: ["end", dated] }[i] as [string, Intl.DateTimeFormatOptions];
    const hour = (at: string) => new Date(at).toLocaleString(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", ...date });
    return at ? [svg("text", { x: x(i), y: height - 3, "text-anchor": anchor }, hour(at))] : [];
  });
  const dots = trend.hours.flatMap((p, i) =>
    p.mean === null ? [] : [svg("circle", { cx: x(i), cy: y(p.mean), r: 1.8, class: "corrected" })],
  );
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(trend, zone) },
    ...marks,
    ...times,
    svg("path", { d: line((p) => p.raw_mean), class: "raw" }),
    svg("path", { d: line((p) => p.mean), class: "corrected" }),
    ...dots,
  );
}

// path returns an SVG path that is interrupted by every gap.
function path(points: (readonly [number, number | null])[], y: (v: number) => number): string {
  let pen = "M";
  return points
    .map(([x, v]) => {
      if (v === null) {
        pen = "M";
        return "";
      }
      const step = `${pen}${x.toFixed(1)} ${y(v).toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
}

function values(trend: Trend, zone: string, raw: boolean): HTMLElement {
  const value = (v: number | null) => (v === null ? "–" : number(v, digitsOf(trend.quantity)));
  const head = [t("plot.hour"), `${t("plot.corrected")} (${trend.unit})`, ...(raw ? [t("plot.raw")] : [])];
  return h(
    "details",
    { class: "values" },
    h("summary", { "data-key": "plot-values" }, t("plot.values")),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head.map((c) => h("th", { scope: "col" }, c)))),
      h(
        "tbody",
        {},
        ...trend.hours.map((x) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, clock(x.time, zone)),
            h("td", {}, value(x.mean)),
            raw ? h("td", {}, value(x.raw_mean)) : null,
          ),
        ),
      ),
    ),
  );
}
