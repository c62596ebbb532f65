// Choices for registering and managing a station.
import { h } from "../dom";
import { t } from "../language";
import { sensors } from "./kits";

// sides are the sides of a house; empty is unknown.
export const sides = ["", "n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;

// parseMetres reads a height as people type it; NaN when it is not a number.
export const parseMetres = (text: string): number => Number(text.trim().replace(",", ".") || NaN);

// sensorBoxes makes a box for each sensor; ticking them changes the list given.
export function sensorBoxes(chosen: string[]): HTMLElement {
  const tick = (sensor: string) => (e: Event) => {
    const at = chosen.indexOf(sensor);
    if ((e.target as HTMLInputElement).checked) chosen.push(sensor);
    else if (at >= 0) chosen.splice(at, 1);
  };
  return h(
    "fieldset",
    { class: "pick" },
    h("legend", { class: "caption" }, t("register.sensors")),
    h(
      "div",
      { class: "options" },
      ...[...sensors, ...chosen.filter((s) => !sensors.includes(s))].map((s) =>
        h(
          "label",
          {},
          h("input", { type: "checkbox", value: s, checked: chosen.includes(s), change: tick(s) }),
          h("span", {}, s.toUpperCase()),
        ),
      ),
    ),
    h("p", { class: "quiet" }, t("register.sensorsHint")),
  );
}
