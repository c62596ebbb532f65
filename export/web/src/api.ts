// The public API, as this page needs it.
import type { Feature, FeatureCollection, MultiPolygon, Point, Polygon } from "geojson";
import { request } from "./client";

export interface CityQuantity {
  quantity: string;
  unit: string;
  mean: number;
  cells: number;
  all_cells: number;
  share: number;
  stations: number;
  min: number;
  max: number;
  eaqi?: number;
  lqi?: number;
}

// IndexClass is what an index says; class 0 is no statement.
export interface IndexClass {
  class: number;
  pollutant?: string; // the one that decides
  en: string;
  de: string;
}

export type Indices = Record<"eaqi" | "lqi", IndexClass>;

export interface CityProperties {
  window_start: string;
  index: Indices;
  districts: number; // how many
  name: string;
  zone: string;
  demo: boolean;
  sketch: boolean;
  registration: "open" | "approve" | "closed";
  grid_resolution: number;
  resolutions: number[];
  basemap: string; // the address of a style; empty where there is none
  basemap_tiles: string; // where this server has tiles; empty where it has none
  contact: string; // an e-mail address or an https URL; empty where there is none
  quantities: CityQuantity[];
  last_reading: string | null;
}

export type City = Feature<MultiPolygon, CityProperties> & { licence: string; attribution: string };

export interface CellProperties {
  cell: string;
  window_start: string;
  window_seconds: number;
  quantity: string;
  unit: string;
  mean: number;
  median: number;
  min: number;
  max: number;
  stations: number;
  readings: number;
  coverage: number;
  eaqi: number | null;
  revision: number;
  raw_mean: number;
  uncorrected: number;
  spread: number;
  certainty: Certainty;
  lqi: number | null;
}

export type Certainty = "single station" | "few" | "good";

export type Grid = FeatureCollection<Polygon, CellProperties>;

// CellAnswer is everything of one cell.
export interface CellAnswer {
  cell: string;
  window_start: string;
  window_seconds: number;
  averages: CellProperties[];
  index: Indices;
  trend: Trend;
}

export interface Trend {
  quantity: string;
  unit: string;
  hours: TrendHour[];
}

export interface TrendHour {
  time: string;
  mean: number | null;
  raw_mean: number | null;
  stations: number;
}

export interface DistrictProperties {
  name: string;
  window_start: string;
  window_seconds: number;
  quantities: CityQuantity[];
  index: Indices;
}

export type Districts = FeatureCollection<MultiPolygon, DistrictProperties>;

export type State = "ok" | "silent" | "check" | "new";

export interface Latest {
  value: number;
  unit: string;
  time: string;
  flags: string[];
}

// Listed is what maps and tables show of a station.
export interface Listed {
  name: string;
  state: State;
  last_seen: string | null;
  values: Record<string, Latest>;
}

export type Stations = FeatureCollection<Point, Listed>;

export interface StationProperties extends Listed {
  kit: string;
  exposure: string;
  demo: boolean;
}

interface History {
  places: { from: string; lon: number; lat: number }[];
  fittings: { from: string; kit: string; sensors: string[] }[];
}

export type Station = Feature<
  Point,
  StationProperties &
    History & {
      height: number;
      side: string;
      cell: string;
      sensors: string[];
      licence: string;
      source: string;
      status: string;
      reason?: string;
    }
>;

export interface ReadingEvent {
  station: string;
  time: string;
  values: Record<string, { value: number; unit: string; flags: string[] }>;
}

export type Window = "live" | "1h" | "24h";

// Choice is what is averaged: a quantity over a window, in cells of a size.
export interface Choice {
  quantity: string;
  window: Window;
  time: string; // a moment in the window, RFC 3339; empty is now, or the last full hour or day
  resolution: number; // metres
}

export async function get<T>(route: string, signal?: AbortSignal): Promise<T> {
  const response = await request("GET", route, { accept: "application/geo+json, application/json", signal });
  return (await response.json()) as T;
}

const span = (c: Choice): string => `window=${c.window}${c.time && c.window !== "live" ? `&time=${c.time}` : ""}`;

export const gridRoute = (c: Choice, format: "geojson" | "csv"): string =>
  `/api/v1/grid?quantity=${encodeURIComponent(c.quantity)}&${span(c)}&resolution=${c.resolution}&format=${format}`;
export const districtsRoute = (c: Choice, format: "geojson" | "csv"): string =>
  `/api/v1/districts?quantity=${encodeURIComponent(c.quantity)}&${span(c)}&format=${format}`;

export const city = (signal?: AbortSignal): Promise<City> => get("/api/v1/city", signal);
export const cityAt = (c: Choice, signal?: AbortSignal): Promise<City> => get(`/api/v1/city?${span(c)}`, signal);
export const stations = (quantity: string, signal?: AbortSignal): Promise<Stations> =>
  get(`/api/v1/stations?fields=name,state,last_seen,values&quantity=${quantity}`, signal);
export const places = (signal?: AbortSignal): Promise<FeatureCollection<Point, Pick<Listed, "state">>> =>
  get("/api/v1/stations?fields=state", signal);
export const station = (id: string, signal?: AbortSignal): Promise<Station> => get(`/api/v1/stations/${encodeURIComponent(id)}`, signal);
export const grid = (c: Choice, signal?: AbortSignal): Promise<Grid> => get(gridRoute(c, "geojson"), signal);
export const districts = (c: Choice, signal?: AbortSignal): Promise<Districts> => get(`/api/v1/districts?${span(c)}`, signal);
export const cell = (code: string, c: Choice, signal?: AbortSignal): Promise<CellAnswer> =>
  get(`/api/v1/cells/${encodeURIComponent(code)}?quantity=${encodeURIComponent(c.quantity)}&${span(c)}`, signal);
