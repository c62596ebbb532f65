// The buttons of a map, and its scale.
import { h } from "../dom";
import { metresPerPixel, type Camera } from "./camera";
import { metres } from "./text";

export function mapButton(name: string, sign: string, press: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: name, click: press }, h("span", { "aria-hidden": "true" }, sign));
}

export function setButtonLabel(button: HTMLElement, label: string): void {
  button.setAttribute("aria-label", label);
  button.title = label;
}

export interface ScaleBar {
  readonly element: HTMLElement;
  show(c: Camera): void;
}

const longest = 100; // pixels of the bar

// scaleBar makes a bar that is as long as a round number of metres.
export function scaleBar(): ScaleBar {
  const element = h("div", { class: "map-scale", "aria-hidden": "true" });
  return {
    element,
    show(c) {
      const size = metresPerPixel(c);
      const length = roundBelow(longest * size);
      const width = `${Math.round(length / size)}px`;
      if (element.style.width !== width) element.style.width = width;
      const text = metres(length);
      if (element.textContent !== text) element.textContent = text;
    },
  };
}

// roundBelow returns the largest of 1, 2, 5, 10, 20, ... that is not above a number.
export function roundBelow(n: number): number {
  const power = 10 ** Math.floor(Math.log10(n));
  return ([5, 2, 1].find((m) => m * power <= n) ?? 1) * power;
}
