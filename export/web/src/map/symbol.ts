import type { State } from "../api";

export const symbolSize = 28; // pixels

// Shapes differ so that nobody needs to tell the colours apart: a dot for a station that reports, a ring for a silent one, a triangle
// for one to check, a small square for a new one.
const shapes: Record<State, readonly [path: string, width: number]> = {
  ok: ["M6 14A8 8 0 1 1 22 14A8 8 0 1 1 6 14Z", 3],
  silent: ["M6 14A8 8 0 1 1 22 14A8 8 0 1 1 6 14Z", 4],
  check: ["M14 4 25 23H3Z", 3],
  new: ["M8 8H20V20H8Z", 3],
};

// symbolColours are the colours of a symbol and of its edge.
export const symbolColours: Record<State, readonly [fill: string, edge: string]> = {
  ok: ["#0a5c63", "#ffffff"],
  silent: ["#ffffff", "#5b6b6a"],
  check: ["#b35900", "#ffffff"],
  new: ["#9aa5a4", "#ffffff"],
};

// symbol returns the address of a station's picture.
export function symbol(state: State): string {
  const [[path, width], [fill, edge]] = [shapes[state], symbolColours[state]];
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="${symbolSize}" height="${symbolSize}"><path d="${path}" stroke-width="${width}" fill="${fill}" stroke="${edge}"/></svg>`)}`;
}

// drawSymbol draws the same on a canvas.
export function drawSymbol(ctx: OffscreenCanvasRenderingContext2D, state: State): void {
  const [path, width] = shapes[state];
  [ctx.fillStyle, ctx.strokeStyle] = symbolColours[state];
  ctx.lineWidth = width;
  ctx.fill(new Path2D(path));
  ctx.stroke(new Path2D(path));
}
