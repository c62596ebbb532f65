// What a mouse, fingers and keys do to a map: they move it, zoom it, and point at something on it.
import type { Point } from "./camera";
import { arrowKeys } from "./arrowkeys";

// Moves are what a person wants; points are in pixels from the map's upper left corner.
export interface Moves {
  pan(right: number, down: number): void;
  zoom(by: number, at?: Point): void; // at once, as a wheel or two fingers go
  step(by: number, at?: Point): void; // one step, which may be animated
  click(at: Point, finger: boolean): void;
  hover(at: Point | null): void;
}

const slack = { mouse: 4, touch: 10 } as const; // pixels that a click may move
const panStep = 100; // pixels of an arrow key
const wheelStep = 1 / 450; // zoom for a pixel of the wheel, as MapLibre has it
const pinchStep = 1 / 100; // of a touchpad's pinch

// gestures listens on an element for as long as it lives.
export function gestures(element: HTMLElement, on: Moves): void {
  const down = new Map<number, Point>(); // where each finger or the mouse is
  let start: Point = [0, 0];
  let click = false; // it is one still

  const place = (e: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  const pinch = (id: number, to: Point): void => {
    const [a, b] = [...down.values()] as [Point, Point];
    const [c, d] = [...down].map(([other, at]) => (other === id ? to : at)) as [Point, Point];
    const middle: Point = [(c[0] + d[0]) / 2, (c[1] + d[1]) / 2];
    on.pan(middle[0] - (a[0] + b[0]) / 2, middle[1] - (a[1] + b[1]) / 2);
    const [before, after] = [Math.hypot(a[0] - b[0], a[1] - b[1]), Math.hypot(c[0] - d[0], c[1] - d[1])];
    if (before > 0 && after > 0) on.zoom(Math.log2(after / before), middle);
  };
  element.addEventListener("pointerdown", (e) => {
    if (e.pointerType === "mouse" && e.button !== 0) return;
    element.setPointerCapture(e.pointerId);
    click = down.size === 0;
    start = place(e);
    if (down.size < 2) down.set(e.pointerId, start);
  });
  element.addEventListener("pointermove", (e) => {
    const to = place(e);
    const from = down.get(e.pointerId);
    if (!from) return on.hover(e.pointerType === "mouse" ? to : null);
    const still = Math.hypot(to[0] - start[0], to[1] - start[1]) < slack[e.pointerType === "touch" ? "touch" : "mouse"];
    if (click && still) return;
    click = false;
    if (down.size === 2) pinch(e.pointerId, to);
    else on.pan(to[0] - from[0], to[1] - from[1]);
    down.set(e.pointerId, to);
  });
  const up = (e: PointerEvent): void => {
    if (!down.delete(e.pointerId)) return;
    if (click && e.type === "pointerup") on.click(place(e), e.pointerType === "touch");
    click = false;
  };
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", () => on.hover(null));
  element.addEventListener("dblclick", (e) => on.step(1, place(e)));
  element.addEventListener(
    "wheel",
    (e) => {
      e.preventDefault(); // the page would scroll
      const pixels = e.deltaY * (e.deltaMode === WheelEvent.DOM_DELTA_LINE ? 40 : 1);
      on.zoom(-pixels * (e.ctrlKey ? pinchStep : wheelStep), place(e));
    },
    { passive: false },
  );
  element.addEventListener("keydown", (e) => {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    const arrow = arrowKeys[e.key];
    if (arrow) on.pan(-arrow[0] * panStep, -arrow[1] * panStep);
    else if (e.key === "+" || e.key === "=") on.step(1);
    else if (e.key === "-" || e.key === "_") on.step(-1);
    else return;
    e.preventDefault();
  });
}
