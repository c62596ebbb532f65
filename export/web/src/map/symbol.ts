import type { State } from "../api";

export const symbolSize = 28; // pixels

// Mark is what a station is drawn as: its state, or official where an authority runs it.
export type Mark = State | "official";

export const markOf = (station: { state: State; official: boolean }): Mark => (station.official ? "official" : station.state);

// Shapes differ so that nobody needs to tell the colours apart: a dot for a station that reports, a ring for a silent one, a triangle
// for one to check, a small square for a new one, a diamond for an official one.
const shapes: Record<Mark, readonly [path: string, width: number]> = {
  ok: ["M6 14A8 8 0 1 1 22 14A8 8 0 1 1 6 14Z", 3],
  silent: ["M6 14A8 8 0 1 1 22 14A8 8 0 1 1 6 14Z", 4],
  check: ["M14 4 25 23H3Z", 3],
  new: ["M8 8H20V20H8Z", 3],
  official: ["M14 3 25 14 14 25 3 14Z", 3],
};

// symbolColours are the colours of a symbol and of its edge.
export const symbolColours: Record<Mark, readonly [fill: string, edge: string]> = {
  ok: ["#0a5c63", "#ffffff"],
  silent: ["#ffffff", "#5b6b6a"],
  check: ["#b35900", "#ffffff"],
  new: ["#9aa5a4", "#ffffff"],
  official: ["#3b2f8f", "#ffffff"],
};

// symbol returns the address of a station's picture.
export function symbol(state: Mark): string {
  const [[path, width], [fill, edge]] = [shapes[state], symbolColours[state]];
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="${symbolSize}" height="${symbolSize}"><path d="${path}" stroke-width="${width}" fill="${fill}" stroke="${edge}"/></svg>`)}`;
}

// drawSymbol draws the same on a canvas.
export function drawSymbol(ctx: OffscreenCanvasRenderingContext2D, state: Mark): void {
  const [path, width] = shapes[state];
  [ctx.fillStyle, ctx.strokeStyle] = symbolColours[state];
  ctx.lineWidth = width;
  ctx.fill(new Path2D(path));
  ctx.stroke(new Path2D(path));
}
