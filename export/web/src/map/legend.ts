import { h, swatch } from "../dom";
import { name, number, t } from "../language";
import { limits } from "../station/limits";
import { dayBounds, type Scale, type Step } from "./colours";
import { indexText, stationIcon, stateText } from "./text";

const marks = ["ok", "silent", "check", "new", "official"] as const;

// legend explains colours, hatching and symbols.
export function legend(steps: readonly Step[], scale: Scale, unit: string, stations: boolean, official: boolean): HTMLElement {
  const class_ = (s: Step) =>
    h(
      "li",
      {},
      swatch(s.colour),
      s.class ? h("span", {}, `${s.class.number} ${indexText(s.class.index, s.class.number)}`) : null,
      h("span", { class: "bounds" }, bounds(s, steps)),
    );
  return h(
    "section",
    { class: "legend", "aria-label": t("map.legend") },
    h("h2", {}, legendHeading(steps, scale, unit)),
    h("ul", {}, ...steps.map(class_)),
    ...dayNotes(scale).map((words) => h("p", { class: "note" }, words)),
    h("p", { class: "quiet" }, swatch("transparent", true), t("map.legendSingle")),
    h("p", { class: "quiet" }, t("map.legendNone")),
    stations
      ? h(
          "ul",
          { class: "symbols" },
          ...marks.filter((m) => official || m !== "official").map((m) => h("li", {}, stationIcon(m), stateText(m))),
        )
      : null,
  );
}

// legendHeading says what the colours mean, with the unit.
export function legendHeading(steps: readonly Step[], { quantity, window, index }: Scale, unit: string): string {
  if (steps[0]?.class) return t(`map.legend_${index}`, { quantity: name(quantity), unit: unit || "µg/m³" });
  if (window === "24h" && quantity in dayBounds) return t("map.legendDay", { quantity: name(quantity), unit: unit || "µg/m³" });
  return unit && unit !== "1" ? t("map.legendScale", { quantity: name(quantity), unit }) : name(quantity);
}

// dayNotes says why a scale of daily means is neutral, and which of its bounds are limits.
function dayNotes({ quantity, window }: Scale): string[] {
  if (window !== "24h" || !(quantity in dayBounds)) return [];
  const known = limits[quantity] ?? [];
  return [t("map.legendNoIndex"), ...known.map(({ who, value }) => t(`map.limit_${who}`, { value: number(value, 0) }))];
}

// bounds returns the values of a step as text.
export function bounds(s: Step, steps: readonly Step[]): string {
  const whole = (v: number | null) => v === null || Number.isInteger(v);
  const digits = steps.every((x) => whole(x.low) && whole(x.high)) ? 0 : 1;
  const bound = (v: number) => number(v, digits);
  if (s.low === null && s.high === null) return "";
  if (s.low === null) return t("map.upTo", { high: bound(s.high ?? 0) });
  if (s.high === null) return t("map.over", { low: bound(s.low) });
  return t("map.between", { low: bound(s.low), high: bound(s.high) });
}
