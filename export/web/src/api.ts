// The public API, as this page needs it.
import type { Feature, FeatureCollection, MultiPolygon, Point, Polygon } from "geojson";

export interface CityQuantity {
  quantity: string;
  unit: string;
  mean: number;
  cells: number;
  all_cells: number;
  share: number;
  stations: number;
  eaqi?: number;
}

export interface CityProperties {
  name: string;
  zone: string;
  demo: boolean;
  sketch: boolean;
  grid_resolution: number;
  resolutions: number[];
  basemap: string;
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
}

export type Grid = FeatureCollection<Polygon, CellProperties>;

export type State = "ok" | "silent" | "check" | "new";

export interface Latest {
  value: number;
  unit: string;
  time: string;
  flags: string[];
}

export interface StationProperties {
  name: string;
  kit: string;
  exposure: string;
  state: State;
  demo: boolean;
  last_seen: string | null;
  values: Record<string, Latest>;
}

export type Stations = FeatureCollection<Point, StationProperties>;

export interface ReadingEvent {
  station: string;
  time: string;
  values: Record<string, { value: number; flags: string[] }>;
}

export type Window = "live" | "1h";

export interface Choice {
  quantity: string;
  window: Window;
  resolution: number;
}

async function get<T>(route: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(route, { headers: { Accept: "application/geo+json, application/json" }, signal: signal ?? null });
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new Error(problem.detail ?? `${response.status}`);
  }
  return (await response.json()) as T;
}

export const gridRoute = (c: Choice, format: "geojson" | "csv"): string =>
  `/api/v1/grid?quantity=${encodeURIComponent(c.quantity)}&window=${c.window}&resolution=${c.resolution}&format=${format}`;

export const city = (signal?: AbortSignal): Promise<City> => get("/api/v1/city", signal);
export const stations = (signal?: AbortSignal): Promise<Stations> => get("/api/v1/stations", signal);
export const grid = (c: Choice, signal?: AbortSignal): Promise<Grid> => get(gridRoute(c, "geojson"), signal);
