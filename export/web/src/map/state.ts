// The state of the map page: what is chosen, and the answers to it.
import type { CellAnswer, City, Comparison, Deviation, Districts, Grid, Listed, ReadingEvent, Station, Stations } from "../api";
import { deviationOf, endOf } from "../api";
import { t } from "../language";
import type { View } from "./view";
import { headlineIndex, steps, type Scale, type Step } from "./colours";
import { dayText, hourText } from "./controls";
import { findQuantity } from "./text";

export interface State {
  view: View;
  city: City | null; // with its values over the window
  units: Map<string, string>; // of every quantity that has had a value, also in other windows
  grid: Grid | null;
  districts: Districts | null;
  stations: Stations | null;
  stationsOf: string; // the quantity whose values the stations have, and the moment; see stationsKey
  stationById: Map<string, Listed>;
  details: CellAnswer | Station | null; // of the chosen cell or station
  noDetails: string | null; // why there are none
  comparison: Comparison | null; // with official instruments
  otherSize: number; // of the cells shown, in metres, where the server has not the chosen one; else 0
  span: readonly number[]; // means that the legend covers beside those that are shown
  lastReading: string | null;
  failure: string | null; // of the last request
  stream: "there" | "lost" | "back";
}

export const initialState = (view: View): State => ({
  view,
  city: null,
  units: new Map(),
  grid: null,
  districts: null,
  stations: null,
  stationsOf: "",
  stationById: new Map(),
  details: null,
  noDetails: null,
  comparison: null,
  otherSize: 0,
  span: [],
  lastReading: null,
  failure: null,
  stream: "there",
});

// clearValues removes the values of the last choice, so that they are never shown as those of the next.
export function clearValues(s: State): void {
  s.grid = s.districts = null;
  if (cellDetails(s)) s.details = null;
  s.otherSize = 0;
}

// stationsMoment returns the moment as of which stations are shown; empty is now.
export const stationsMoment = ({ view, city }: State): string => (city ? endOf(view, city.properties) : "");
export const stationsKey = (s: State): string => `${s.view.quantity} ${stationsMoment(s)}`;

// setStations takes an answer with stations, of a stationsKey.
export function setStations(s: State, stations: Stations, key: string): void {
  s.stations = stations;
  s.stationsOf = key;
  s.stationById = new Map(stations.features.map((f) => [f.id, f.properties]));
}

// cellDetails and stationDetails return the details of the chosen cell or station; null until they have come.
export const cellDetails = ({ view, details }: State): CellAnswer | null =>
  details && "cell" in details && details.cell === view.chosen?.id ? details : null;
export const stationDetails = ({ view, details }: State): Station | null =>
  details && "id" in details && details.id === view.chosen?.id ? details : null;

// applyReading takes the new values of a station.
export function applyReading(s: State, reading: ReadingEvent): void {
  s.lastReading = latest(s.lastReading, reading.time);
  const listed = stationsMoment(s) ? undefined : s.stationById.get(reading.station);
  const chosen = stationDetails(s);
  if (listed) updateStation(listed, reading);
  if (chosen?.id === reading.station) updateStation(chosen.properties, reading);
}

function updateStation(station: Listed, { time, values }: ReadingEvent): void {
  station.last_seen = time;
  for (const [quantity, v] of Object.entries(values)) {
    const old = station.values[quantity];
    if (!old || old.time <= time) station.values[quantity] = { value: v.value, flags: v.flags, time, unit: old?.unit ?? v.unit };
  }
}

export const latest = (a: string | null, b: string | null): string | null => (!a || (b && b > a) ? b : a);

export const zone = (s: State): string => s.city?.properties.zone ?? "UTC";

// shownView returns the view with the size of the cells that are shown.
export const shownView = (s: State): View => ({ ...s.view, resolution: s.otherSize || s.view.resolution });

export const legendScale = ({ view, city }: State): Scale => ({ ...view, index: headlineIndex(city) });
export const legendSteps = (s: State): Step[] => steps(legendScale(s), [...means(s), ...s.span]);

function means({ view, grid, districts }: State): number[] {
  if (view.layer === "grid") return (grid?.features ?? []).map((f) => f.properties.mean);
  return (districts?.features ?? []).flatMap((f) => findQuantity(f.properties.quantities, view.quantity)?.mean ?? []);
}

// deviation returns what the city's values of the chosen quantity are worth beside official instruments.
export const deviation = ({ comparison, view }: State): Deviation | undefined => deviationOf(view.quantity, comparison);

export const unit = ({ view, units }: State): string => units.get(view.quantity) ?? "";

// setCity takes the city with its values over a window.
export function setCity(s: State, city: City): void {
  s.city = city;
  for (const q of city.properties.quantities) s.units.set(q.quantity, q.unit);
}

// windowText returns the window as text.
export function windowText(s: State): string {
  const { view, city } = s;
  if (view.window === "live" || !city) return t("map.windowLive");
  const start = Date.parse(city.properties.window_start);
  return view.window === "1h" ? hourText(start, zone(s)) : dayText(new Date(start + 43_200_000).toISOString().slice(0, 10));
}
