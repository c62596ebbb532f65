// The state of the page of a station: what is chosen, and the answers to it.
import type { City, Comparison, Health, Station } from "../api";
import { t } from "../language";
import type { Settings } from "../register/settings";
import type { Official } from "./official";
import { periods, type Period, type Readings, type Series } from "./series";

export interface State {
  readonly id: string;
  city: City | null;
  station: Station | null; // what is public of it; null when it waits for approval, is gone, or has not come yet
  health: Health | null;
  comparison: Comparison | null; // of the city with official instruments
  failure: (() => string) | null; // why there is no health, in the current language
  quantity: string; // of the plot; empty until one has been measured
  period: Period;
  plotted: Plotted | null; // the last answer
  plotFailure: (() => string) | null; // why the choice is not plotted, in the current language
  plotting: boolean; // the answer has not come yet
  owner: Owner | null; // null where the address has no key
  removed: "keep" | "erase" | null; // by its owner, with what became of the readings
}

// Plotted is what a plot shows; official is null where no official station is near.
export interface Plotted {
  series: Series;
  readings: Readings | null;
  official: Official | null;
  period: Period;
}

// Owner holds the key of the management link, and what was made on this page and is shown only now.
export interface Owner {
  key: string;
  newSettings: Settings | null; // with the new token
  newLink: string;
}

export const initialState = (id: string, owner: Owner | null, plot = readPlot("")): State => ({
  id,
  city: null,
  station: null,
  health: null,
  comparison: null,
  failure: null,
  ...plot,
  plotted: null,
  plotFailure: null,
  plotting: false,
  owner,
  removed: null,
});

// PlotChoice is what of a station is plotted.
export type PlotChoice = Pick<State, "quantity" | "period">;

// readPlot returns the choice that an address's query says.
export function readPlot(search: string): PlotChoice {
  const q = new URLSearchParams(search);
  const quantity = /^[a-z0-9_]{1,20}$/.exec(q.get("quantity") ?? "")?.[0] ?? "";
  return { quantity, period: periods.find((p) => p === q.get("period")) ?? "24h" };
}

// writePlot returns the query with a choice, which the person has made.
export function writePlot({ quantity, period }: PlotChoice, search: string): string {
  const q = new URLSearchParams(search);
  q.set("quantity", quantity);
  q.set("period", period);
  return `?${q}`;
}

// ownerOf reads the key from the fragment of an address; null where there is none.
export function ownerOf(hash: string): Owner | null {
  const key = new URLSearchParams(hash.slice(1)).get("manage");
  return key ? { key, newSettings: null, newLink: "" } : null;
}

export const zone = (s: State): string => s.city?.properties.zone ?? "UTC";

export const title = (s: State): string => s.station?.properties.name ?? t("station.title", { id: s.id });

const order = ["pm2_5", "pm10", "pm1", "pm4", "no2", "o3", "co2", "temperature", "humidity", "pressure", "noise_laeq"];

// quantities returns those that can be plotted, particles first.
export function quantities(s: State): string[] {
  const measured = Object.keys(s.station?.properties.values ?? {});
  return [...order.filter((q) => measured.includes(q)), ...measured.filter((q) => !order.includes(q))];
}
