import type { State } from "../api";

const shapes: Record<State, string> = {
  ok: `<circle cx="14" cy="14" r="8" fill="#0a5c63" stroke="#fff" stroke-width="3"/>`,
  silent: `<circle cx="14" cy="14" r="8" fill="#fff" stroke="#5b6b6a" stroke-width="4"/>`,
  check: `<path d="M14 4 25 23H3Z" fill="#b35900" stroke="#fff" stroke-width="3"/>`,
  new: `<path d="M8 8H20V20H8Z" fill="#9aa5a4" stroke="#fff" stroke-width="3"/>`,
};

// symbol is the address of a station's picture, 28 px wide: a dot when it reports, a ring when it is silent, a triangle when
// it should be looked at, a small square when it was never heard. Shapes tell them apart without colour.
export const symbol = (state: State): string =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28">${shapes[state]}</svg>`)}`;
