// What the map shows, as its address says it. The same address shows the same map.
import type { Choice, Window } from "../api";

export const resolutions = [500, 1000, 2000, 5000] as const; // metres

export type Layer = "grid" | "districts";
export type Palette = "index" | "safe";

// Chosen is what the card describes.
export interface Chosen {
  kind: "cell" | "station" | "district";
  id: string;
}

// View is a choice and how the map draws it.
export interface View extends Choice {
  layer: Layer;
  palette: Palette;
  stations: boolean; // whether they are drawn
  chosen: Chosen | null;
  place: Place | null; // where the map was moved to; null shows the whole city
}

// Place is the centre of a map, in degrees, and its zoom.
export interface Place {
  lon: number;
  lat: number;
  zoom: number;
}

export const defaultView: View = {
  quantity: "pm2_5",
  window: "live",
  time: "",
  resolution: 1000,
  layer: "grid",
  palette: "index",
  stations: true,
  chosen: null,
  place: null,
};

const kinds = ["cell", "station", "district"] as const;

// readView returns the view of an address's query. Values that it does not know become the defaults, because old links stay around.
export function readView(search: string): View {
  const q = new URLSearchParams(search);
  const one = <T extends string>(name: string, allowed: readonly T[], otherwise: T): T =>
    allowed.find((a) => a === q.get(name)) ?? otherwise;
  const window = one<Window>("window", ["live", "1h", "24h"], "live");
  const kind = kinds.find((k) => q.get(k));
  const id = (kind && q.get(kind)) ?? "";
  // A chosen cell needs the grid of its size, a chosen district the districts, even where the address does not say so.
  const size = Number(/^CRS3035RES(\d+)m/.exec(kind === "cell" ? id : "")?.[1] ?? q.get("resolution"));
  const layer = kind === "cell" ? "grid" : kind === "district" ? "districts" : one<Layer>("layer", ["grid", "districts"], "grid");
  return {
    quantity: /^[a-z0-9_]{1,20}$/.exec(q.get("quantity") ?? "")?.[0] ?? defaultView.quantity,
    window,
    time: window === "live" ? "" : parseMoment(q.get("time")),
    resolution: resolutions.find((r) => r === size) ?? defaultView.resolution,
    layer,
    palette: one<Palette>("colours", ["index", "safe"], "index"),
    stations: q.get("stations") !== "hidden",
    chosen: kind ? { kind, id } : null,
    place: parsePlace(q.get("place")),
  };
}

function parseMoment(text: string | null): string {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? "" : iso(at);
}

function parsePlace(text: string | null): Place | null {
  const [lon, lat, zoom] = (text ?? "").split(",").map(Number);
  const good = (n: number | undefined, most: number): n is number => n !== undefined && Math.abs(n) <= most;
  return text && good(lon, 180) && good(lat, 90) && good(zoom, 24) ? { lon, lat, zoom } : null;
}

// writeView returns the query of a view: what differs from the defaults, and the page's other parameters, such as lang.
export function writeView(v: View, search: string): string {
  const q = new URLSearchParams(search);
  const set = (name: string, value: string, otherwise: string) => (value === otherwise ? q.delete(name) : q.set(name, value));
  set("quantity", v.quantity, defaultView.quantity);
  set("window", v.window, defaultView.window);
  set("time", v.window === "live" ? "" : v.time, "");
  set("resolution", String(v.resolution), String(defaultView.resolution));
  set("layer", v.layer, defaultView.layer);
  set("colours", v.palette, defaultView.palette);
  set("stations", v.stations ? "" : "hidden", "");
  for (const kind of kinds) set(kind, v.chosen?.kind === kind ? v.chosen.id : "", "");
  set("place", v.place ? [v.place.lon.toFixed(4), v.place.lat.toFixed(4), v.place.zoom.toFixed(2)].join(",") : "", "");
  const text = q.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return text ? `?${text}` : "";
}

const hour = 3600_000; // milliseconds

// iso returns a moment in RFC 3339, in whole seconds of UTC.
export const iso = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

// lastHour returns the start of the last published hour; an hour is published five minutes after its end.
export const lastHour = (now: number): number => Math.floor((now - 5 * 60_000) / hour) * hour - hour;

export const recentHours = 48; // hours that are kept in every resolution

// hours returns the starts of the hours on the slider: the last 48, or those of an older day in the city's time zone.
export function hours(time: string, zone: string, now: number): number[] {
  const newest = lastHour(now);
  const at = time ? Date.parse(time) : newest;
  if (at > newest - recentHours * hour) return Array.from({ length: recentHours }, (_, i) => newest - (recentHours - 1 - i) * hour);
  const day = dayOf(at, zone);
  const middle = Math.floor(at / hour) * hour;
  return Array.from({ length: 49 }, (_, i) => middle + (i - 24) * hour).filter((h) => dayOf(h, zone) === day);
}

// dayOf returns the date of a moment in a time zone, as YYYY-MM-DD.
export const dayOf = (at: number, zone: string): string => new Date(at).toLocaleDateString("en-CA", { timeZone: zone });

// onDate returns the same hour of another date; where a clock change leaves that hour out, the nearest one.
export function onDate(time: string, date: string, zone: string, now: number): string {
  const at = time ? Date.parse(time) : lastHour(now);
  const days = Math.round((Date.parse(`${date}T12:00:00Z`) - Date.parse(`${dayOf(at, zone)}T12:00:00Z`)) / (24 * hour));
  return iso(Math.min(at + days * 24 * hour, lastHour(now)));
}
