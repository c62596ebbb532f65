// The public API, as these pages need it. The types of its answers are generated from the server's description of itself.
import type { components, operations } from "../types/openapi";
import { request } from "./client";

// Answer is what an operation of the API answers in a form when all is well; unknown where it has no such form.
export type Answer<Operation extends keyof operations, Form extends string = "application/json"> =
  Good<operations[Operation]["responses"]> extends { content: { [form in Form]: infer Body } } ? Body : unknown;
type Good<Responses> = Responses extends { 200: infer Response } | { 201: infer Response } ? Response : unknown;
export type GeoJSONAnswer<Operation extends keyof operations> = Answer<Operation, "application/geo+json">;

export type City = GeoJSONAnswer<"getCity">;
export type CityProperties = City["properties"];
export type CityQuantity = CityProperties["quantities"][number];
export type Indices = CityProperties["index"];
export type IndexClass = Indices["eaqi"]; // class 0 is no statement
export type Index = CityProperties["headline_index"];

export type Grid = GeoJSONAnswer<"getGrid">;
export type CellProperties = Grid["features"][number]["properties"];
export type Certainty = CellProperties["certainty"];

export type CellAnswer = Answer<"getCell">;
export type Trend = CellAnswer["trend"];
export type TrendHour = Trend["hours"][number];

export type Districts = GeoJSONAnswer<"getDistricts">;
export type DistrictProperties = Districts["features"][number]["properties"];

export type Station = GeoJSONAnswer<"getStation">;
export type StationProperties = Station["properties"];
export type State = StationProperties["state"];
export type Health = Answer<"getHealth">;
export type Refusal = Health["refusals"][number];

type ListedStation = GeoJSONAnswer<"getStations">["features"][number];

// StationsWith is an answer with the properties that were asked for.
export type StationsWith<Name extends keyof ListedStation["properties"]> = Omit<GeoJSONAnswer<"getStations">, "features"> & {
  features: (Omit<ListedStation, "properties"> & { properties: Required<Pick<ListedStation["properties"], Name>> })[];
};
export type Stations = StationsWith<"name" | "state" | "official" | "last_seen" | "values">;
export type Listed = Stations["features"][number]["properties"];

export type Comparison = Answer<"getComparison">;
export type Deviation = Comparison["headline"][number]; // of the city's values of a quantity from official instruments
export type ComparisonRow = Comparison["rows"][number];
export type ComparisonHour = Answer<"getComparisonHours">["rows"][number];

export type ReadingEvent = components["schemas"]["ReadingEvent"]; // of the live stream

export type Window = "live" | "1h" | "24h";

// Choice says which averages: of a quantity, over a window, in cells of a size.
export interface Choice {
  quantity: string;
  window: Window;
  time: string; // a moment in the window, RFC 3339; empty is now, or the last full hour or day
  resolution: number; // metres
}

// get requests a document. A station that waits for approval or is suspended needs the key of its management link.
export async function get<T>(route: string, signal?: AbortSignal, key?: string): Promise<T> {
  const response = await request("GET", route, { accept: "application/geo+json, application/json", signal, key });
  return (await response.json()) as T;
}

const span = (c: Choice): string => `window=${c.window}${c.time && c.window !== "live" ? `&time=${c.time}` : ""}`;

export const gridRoute = (c: Choice, format: "geojson" | "csv"): string =>
  `/api/v1/grid?quantity=${encodeURIComponent(c.quantity)}&${span(c)}&resolution=${c.resolution}&format=${format}`;
export const districtsRoute = (c: Choice, format: "geojson" | "csv"): string =>
  `/api/v1/districts?quantity=${encodeURIComponent(c.quantity)}&${span(c)}&format=${format}`;

export const city = (signal?: AbortSignal): Promise<City> => get("/api/v1/city", signal);
export const cityAt = (c: Choice, signal?: AbortSignal): Promise<City> => get(`/api/v1/city?${span(c)}`, signal);
// stations and places are of now, or of a moment where one is given.
export const stations = (quantity: string, at: string, signal?: AbortSignal): Promise<Stations> =>
  get(`/api/v1/stations?fields=name,state,official,last_seen,values&quantity=${quantity}${moment(at)}`, signal);
export const places = (at: string, signal?: AbortSignal): Promise<StationsWith<"state" | "official">> =>
  get(`/api/v1/stations?fields=state,official${moment(at)}`, signal);
export const officialStations = (quantity: string): Promise<StationsWith<"name" | "values">> =>
  get(`/api/v1/stations?source=official&fields=name,values&quantity=${quantity}`);
const moment = (at: string): string => (at ? `&time=${at}` : "");

// endOf returns the end of an older window whose values are shown; empty for the newest.
export const endOf = (c: Choice, w: { window_start: string }): string => {
  if (!c.time || c.window === "live") return "";
  return new Date(Date.parse(w.window_start) + (c.window === "24h" ? 86_400_000 : 3_600_000)).toISOString().replace(".000", "");
};
export const station = (id: string, signal?: AbortSignal, key?: string): Promise<Station> =>
  get(`/api/v1/stations/${encodeURIComponent(id)}`, signal, key);
export const grid = (c: Choice, signal?: AbortSignal): Promise<Grid> => get(gridRoute(c, "geojson"), signal);
export const districts = (c: Choice, signal?: AbortSignal): Promise<Districts> => get(`/api/v1/districts?${span(c)}`, signal);
export const cell = (code: string, c: Choice, signal?: AbortSignal): Promise<CellAnswer> =>
  get(`/api/v1/cells/${encodeURIComponent(code)}?quantity=${encodeURIComponent(c.quantity)}&${span(c)}`, signal);

// deviationOf returns that of a quantity, where it has been compared.
export const deviationOf = (quantity: string, comparison: Comparison | null): Deviation | undefined =>
  comparison?.headline.find((x) => x.quantity === quantity);

// deviations asks for what the city's values are worth beside official instruments, with as few rows as can be.
export const deviations = (signal?: AbortSignal): Promise<Comparison> =>
  get("/api/v1/comparison?quantity=pm2_5&radius=1000&days=30&official=all", signal);
export const comparison = (quantity: string, official: string, radius: number, days: number): Promise<Comparison> =>
  get(`/api/v1/comparison?quantity=${quantity}&official=${encodeURIComponent(official)}&radius=${radius}&days=${days}`);
export const comparisonHours = (quantity: string, official: string, radius: number, from: string): Promise<{ rows: ComparisonHour[] }> =>
  get(
    `/api/v1/comparison/hours?format=json&quantity=${quantity}${official === "all" ? "" : `&official=${encodeURIComponent(official)}`}&radius=${radius}&from=${from}`,
  );
