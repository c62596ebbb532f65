import type { State } from "../api";

const shapes: Record<State, string> = {
  ok: `<circle cx="14" cy="14" r="8" stroke-width="3"`,
  silent: `<circle cx="14" cy="14" r="8" stroke-width="4"`,
  check: `<path d="M14 4 25 23H3Z" stroke-width="3"`,
  new: `<path d="M8 8H20V20H8Z" stroke-width="3"`,
};

// symbolColours are the colours of a symbol and of its edge.
export const symbolColours: Record<State, readonly [fill: string, edge: string]> = {
  ok: ["#0a5c63", "#ffffff"],
  silent: ["#ffffff", "#5b6b6a"],
  check: ["#b35900", "#ffffff"],
  new: ["#9aa5a4", "#ffffff"],
};

// symbol returns the address of a station's picture, 28 px wide: a dot for one that reports, a ring for a silent one, a triangle
// for one to check, a small square for a new one. The shapes differ so that nobody needs to tell the colours apart.
export function symbol(state: State): string {
  const [fill, edge] = symbolColours[state];
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28">${shapes[state]} fill="${fill}" stroke="${edge}"/></svg>`)}`;
}
