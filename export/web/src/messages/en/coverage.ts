import type { coverage as german } from "../de/coverage";

export const coverage: typeof german = {
  heading: "Where stations are missing",
  lead: "A cell of one square kilometre is covered when at least one station counts there. The more cells, the better the city knows its air.",
  share: "Area covered",
  cells: "{covered} of {all} cells",
  people: "{share} of the people live there, which is {reached}.",
  missing: "no station",
  proposed: "the next one helps most here",
  covered: "covered",
  map: "Map of the coverage. The same proposals are in the list beside it.",
  next: "Where the next station helps most",
  tap: "Any other empty cell can be chosen on the map.",
  here: "I could put one there",
  all: "Every cell of the city has a station.",
  months: "Coverage by month",
  month: "Month",
};
