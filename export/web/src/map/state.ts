// What the map page knows: what is chosen, and what was answered to it.
import type { CellAnswer, City, Districts, Grid, Listed, ReadingEvent, Station, Stations } from "../api";
import { t } from "../language";
import type { View } from "./view";
import { steps, type Step } from "./colours";
import { dayWords, hourWords } from "./controls";
import { of } from "./words";

export interface State {
  view: View;
  city: City | null; // with its values over the window
  grid: Grid | null;
  districts: Districts | null;
  stations: Stations | null;
  listed: string; // the quantity of which stations have values
  byId: Map<string, Listed>;
  more: CellAnswer | Station | null; // of the chosen cell or station
  nothing: string | null; // why there is none
  size: number; // of the cells shown, where the server has no other; 0 is the one asked for
  lastReading: string | null;
  failure: string | null; // of the last request
  stream: "there" | "lost" | "back";
}

export const beginning = (view: View): State => ({
  view,
  city: null,
  grid: null,
  districts: null,
  stations: null,
  listed: "",
  byId: new Map(),
  more: null,
  nothing: null,
  size: 0,
  lastReading: null,
  failure: null,
  stream: "there",
});

// forget lets go of another choice's values: they never stand under this one's name.
export function forget(s: State): void {
  s.grid = s.districts = null;
  if (cellOf(s)) s.more = null;
  s.size = 0;
}

// keepStations takes the stations as they were answered.
export function keepStations(s: State, stations: Stations, quantity: string): void {
  s.stations = stations;
  s.listed = quantity;
  s.byId = new Map(stations.features.map((f) => [f.id, f.properties]));
}

// cellOf and stationOf are everything of the chosen cell or station, once it has come.
export const cellOf = ({ view, more }: State): CellAnswer | null => (more && "cell" in more && more.cell === view.chosen?.id ? more : null);
export const stationOf = ({ view, more }: State): Station | null => (more && "id" in more && more.id === view.chosen?.id ? more : null);

// hear takes a station's new values.
export function hear(s: State, reading: ReadingEvent): void {
  s.lastReading = later(s.lastReading, reading.time);
  const [listed, chosen] = [s.byId.get(reading.station), stationOf(s)];
  if (listed) observe(listed, reading);
  if (chosen?.id === reading.station) observe(chosen.properties, reading);
}

function observe(station: Listed, { time, values }: ReadingEvent): void {
  station.last_seen = time;
  for (const [quantity, v] of Object.entries(values)) {
    const old = station.values[quantity];
    if (!old || old.time <= time) station.values[quantity] = { value: v.value, flags: v.flags, time, unit: old?.unit ?? v.unit };
  }
}

export const later = (a: string | null, b: string | null): string | null => (!a || (b && b > a) ? b : a);

export const zone = (s: State): string => s.city?.properties.zone ?? "UTC";

// shown is the view with the cells that are really there.
export const shown = (s: State): View => ({ ...s.view, resolution: s.size || s.view.resolution });

export const scale = (s: State): Step[] => steps(s.view.quantity, means(s), s.view.palette);

function means({ view, grid, districts }: State): number[] {
  if (view.layer === "grid") return (grid?.features ?? []).map((f) => f.properties.mean);
  return (districts?.features ?? []).flatMap((f) => of(f.properties.quantities, view.quantity)?.mean ?? []);
}

export const unit = ({ view, city, grid }: State): string =>
  (city && of(city.properties.quantities, view.quantity)?.unit) ?? grid?.features[0]?.properties.unit ?? "";

// when is the window in words.
export function when(s: State): string {
  const { view, city } = s;
  if (view.window === "live" || !city) return t("map.windowLive");
  const start = Date.parse(city.properties.window_start);
  return view.window === "1h" ? hourWords(start, zone(s)) : dayWords(new Date(start + 43_200_000).toISOString().slice(0, 10));
}
