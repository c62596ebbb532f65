import { h, swatch } from "../dom";
import { name, number, t } from "../language";
import type { Step } from "./colours";
import { indexText, stationIcon, stateText } from "./text";

const marks = ["ok", "silent", "check", "new", "official"] as const;

// legend explains colours, hatching and symbols.
export function legend(steps: readonly Step[], quantity: string, unit: string, stations: boolean, official: boolean): HTMLElement {
  const indexed = steps[0]?.index != null;
  const class_ = (s: Step) =>
    h(
      "li",
      {},
      swatch(s.colour),
      s.index ? h("span", {}, `${s.index} ${indexText(s.index)}`) : null,
      h("span", { class: "bounds" }, bounds(s, steps)),
    );
  return h(
    "section",
    { class: "legend", "aria-label": t("map.legend") },
    h("h2", {}, heading(indexed, quantity, unit)),
    h("ul", {}, ...steps.map(class_)),
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

function heading(indexed: boolean, quantity: string, unit: string): string {
  if (indexed) return t("map.legendIndex", { unit: unit || "µg/m³" });
  return unit && unit !== "1" ? t("map.legendScale", { quantity: name(quantity), unit }) : name(quantity);
}

// bounds returns the values of a step as text.
export function bounds(s: Step, steps: readonly Step[]): string {
  const whole = (v: number | null) => v === null || Number.isInteger(v);
  const digits = steps.every((x) => whole(x.low) && whole(x.high)) ? 0 : 1;
  const bound = (v: number) => number(v, digits);
  if (s.low === null && s.high === null) return "";
  if (s.low === null) return t(s.index ? "map.upTo" : "map.below", { high: bound(s.high ?? 0) });
  if (s.high === null) return t(s.index ? "map.over" : "map.from", { low: bound(s.low) });
  return t("map.between", { low: bound(s.low), high: bound(s.high) });
}
