// The plots: hours of both, days of both, and the curve of κ. Each says the same as a sentence.
import type { Comparison, ComparisonHour, ComparisonRow } from "../api";
import { h } from "../dom";
import { digitsOf, language, languages, number, t } from "../language";
import { svg } from "../svg";
import { daily } from "./pairs";

const box = { left: 40, right: 10, top: 10, bottom: 26 };

// ticks returns at most six round numbers from 0 on that take in all up to most.
function ticks(most: number): number[] {
  const step = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].find((s) => most / s <= 5) ?? most;
  return Array.from({ length: Math.floor(most / step) + 2 }, (_, i) => i * step);
}

const tickText = (v: number): string => number(v, v < 1 && v > 0 ? ((v * 10) % 1 > 0.001 ? 2 : 1) : 0);

function figure(caption: string, says: string, width: number, height: number, ...content: SVGElement[]): HTMLElement {
  return h(
    "figure",
    { class: "compared" },
    h("figcaption", {}, h("h2", {}, caption)),
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": says }, ...content),
    h("p", { class: "quiet" }, says),
  );
}

// scatter makes the plot of hours, the official instrument across.
export function scatter(hours: readonly ComparisonHour[], row: ComparisonRow): HTMLElement {
  const size = 340;
  const values = hours.flatMap((x) => [x.official_value, x.mean]).sort((a, b) => a - b);
  const marks = ticks(Math.max(1, values[Math.floor(values.length * 0.999)] ?? 1)); // a few far ones would press the others together
  const top = marks.at(-1) ?? 1;
  const at = (v: number) => box.left + (Math.max(0, v) / top) * (size - box.left - box.right);
  const up = (v: number) => size - box.bottom - (Math.max(0, v) / top) * (size - box.top - box.bottom);
  const dots = hours
    .filter((x) => x.official_value <= top && x.mean <= top)
    .map((x) => `M${at(x.official_value).toFixed(1)} ${up(x.mean).toFixed(1)}h0`)
    .join("");
  const says = t("comparison.scatterSays", {
    n: number(row.n, 0),
    unit: row.unit,
    slope: number(row.slope, 2),
    intercept: number(row.intercept, 1).replace("-", "−"),
    r: number(row.r, 2),
  });
  return figure(
    t("comparison.scatter"),
    says,
    size,
    size,
    ...marks.flatMap((v) => [
      svg("line", { x1: at(v), x2: at(v), y1: up(0), y2: up(top), class: "rule" }),
      svg("line", { x1: at(0), x2: at(top), y1: up(v), y2: up(v), class: "rule" }),
      svg("text", { x: at(v), y: size - 8, "text-anchor": "middle" }, tickText(v)),
      svg("text", { x: box.left - 5, y: up(v) + 4, "text-anchor": "end" }, tickText(v)),
    ]),
    svg("line", { x1: at(0), y1: up(0), x2: at(top), y2: up(top), class: "equal" }),
    svg("path", { d: dots, class: "hours" }),
  );
}

// series makes the plot of days.
export function series(hours: readonly ComparisonHour[], unit: string): HTMLElement | null {
  const days = daily(hours);
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last || days.length < 2) return null;
  const [width, height] = [340, 200];
  const marks = ticks(Math.max(1, ...days.flatMap((d) => [d.official, d.raw, d.ours])));
  const top = marks.at(-1) ?? 1;
  const begin = Date.parse(first.day);
  const span = Date.parse(last.day) - begin;
  const at = (day: string) => box.left + ((Date.parse(day) - begin) / span) * (width - box.left - box.right);
  const up = (v: number) => height - box.bottom - (Math.max(0, v) / top) * (height - box.top - box.bottom);
  const date = (day: string) =>
    new Date(day).toLocaleDateString(languages[language()].locale, { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
  // A day without a common hour is a gap.
  const line = (pick: (i: number) => number) =>
    days
      .map((d, i) => {
        const before = days[i - 1];
        const gap = !before || Date.parse(d.day) - Date.parse(before.day) > 86_400_000;
        return `${gap ? "M" : "L"}${at(d.day).toFixed(1)} ${up(pick(i)).toFixed(1)}${gap ? "h0" : ""}`;
      })
      .join("");
  return h(
    "div",
    {},
    figure(
      t("comparison.series"),
      t("comparison.seriesSays", { unit, from: date(first.day), to: date(last.day) }),
      width,
      height,
      ...marks.flatMap((v) => [
        svg("line", { x1: box.left, x2: width - box.right, y1: up(v), y2: up(v), class: "rule" }),
        svg("text", { x: box.left - 5, y: up(v) + 4, "text-anchor": "end" }, tickText(v)),
      ]),
      svg("text", { x: box.left, y: height - 6, "text-anchor": "start" }, date(first.day)),
      svg("text", { x: width - box.right, y: height - 6, "text-anchor": "end" }, date(last.day)),
      svg("path", { d: line((i) => days[i]?.raw ?? 0), class: "days raw" }),
      svg("path", { d: line((i) => days[i]?.official ?? 0), class: "days official" }),
      svg("path", { d: line((i) => days[i]?.ours ?? 0), class: "days ours" }),
    ),
    h(
      "ul",
      { class: "lines" },
      ...(["ours", "theirs", "raw"] as const).map((key) =>
        h("li", {}, h("span", { class: `sample ${key === "theirs" ? "official" : key}`, "aria-hidden": "true" }), t(`comparison.${key}`)),
      ),
    ),
  );
}

// curve makes the plot of κ.
export function curve(kappa: Comparison["kappas"][number], inForce: number): HTMLElement {
  const [width, height] = [340, 180];
  const low = Math.min(...kappa.curve.map((p) => p.rmse_fitted));
  const high = Math.max(...kappa.curve.map((p) => p.rmse_fitted));
  const most = kappa.curve.at(-1)?.kappa ?? 1;
  const room = Math.max(high - low, 0.1);
  const at = (k: number) => box.left + (k / most) * (width - box.left - box.right);
  const up = (v: number) => height - box.bottom - ((v - low) / room) * (height - box.top - box.bottom);
  const path = kappa.curve.map((p, i) => `${i ? "L" : "M"}${at(p.kappa).toFixed(1)} ${up(p.rmse_fitted).toFixed(1)}`).join("");
  const says = t("comparison.kappaCurve", { proposed: number(kappa.proposed, 2), inForce: number(inForce, 2) });
  return h(
    "figure",
    { class: "compared" },
    svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": says },
      ...[low, high].map((v) => svg("text", { x: box.left - 5, y: up(v) + 4, "text-anchor": "end" }, number(v, digitsOf("pm2_5")))),
      ...[0, 0.2, 0.4, 0.6].flatMap((k) => [
        svg("line", { x1: at(k), x2: at(k), y1: up(low), y2: up(high), class: "rule" }),
        svg("text", { x: at(k), y: height - 8, "text-anchor": "middle" }, number(k, 1)),
      ]),
      svg("rect", {
        x: at(kappa.low),
        y: up(high),
        width: Math.max(1, at(Math.min(kappa.high, most)) - at(kappa.low)),
        height: up(low) - up(high),
        class: "interval",
      }),
      svg("line", { x1: at(inForce), x2: at(inForce), y1: up(low), y2: up(high), class: "equal" }),
      svg("text", { x: at(inForce) + 4, y: up(high) + 10, "text-anchor": "start" }, t("comparison.kappaMark")),
      svg("path", { d: path, class: "days ours" }),
      svg("circle", { cx: at(kappa.proposed), cy: up(low), r: 4, class: "best" }),
    ),
    h("p", { class: "quiet" }, says),
  );
}
