// Reading a picture value by value: with arrow keys, with a mouse, and with a finger. Screen readers announce it as a slider.
import { h } from "./dom";

// Reading is what a picture can be asked.
export interface Reading {
  label: string; // what the picture shows
  count: number; // of values
  text(i: number, e?: PointerEvent): string; // says a value; the event is that which points at it
  at(e: PointerEvent): number; // the value that is pointed at; outside of the picture the nearest, -1 for none
  move?(i: number): void; // keys have moved to a value
}

// reader puts a picture into an element that reads it, with a line that says the value; it begins with the last one.
export function reader(picture: Element, r: Reading): HTMLElement {
  const says = h("p", { class: "reader-says", "aria-hidden": "true" }); // the slider says the same
  const element = h("div", { class: "reader", role: "slider", tabindex: "0", "aria-label": r.label, "aria-valuemin": "0" }, picture);
  const last = r.count - 1;
  let shown = last;
  const show = (i: number, e?: PointerEvent): void => {
    shown = i;
    const text = r.text(i, e);
    says.textContent = text;
    element.setAttribute("aria-valuemax", String(Math.max(0, last)));
    element.setAttribute("aria-valuenow", String(Math.max(0, i)));
    element.setAttribute("aria-valuetext", text);
  };
  const point = (e: PointerEvent): void => {
    const i = r.at(e);
    if (i >= 0) show(i, e);
  };
  element.addEventListener("pointermove", point);
  element.addEventListener("pointerdown", point);
  element.addEventListener("keydown", (e) => {
    const to = { ArrowLeft: shown - 1, ArrowDown: shown - 1, ArrowRight: shown + 1, ArrowUp: shown + 1, Home: 0, End: last }[e.key];
    if (to === undefined || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    show(Math.min(last, Math.max(0, to)));
    r.move?.(shown);
  });
  show(shown);
  return h("div", {}, says, element);
}
