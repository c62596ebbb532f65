// Areas and lines of GeoJSON: their parts, bounds and what lies in them.
import type { LineString, MultiLineString, MultiPolygon, Polygon, Position } from "geojson";
import type { Point as Place } from "./arrowkeys";

export type Area = Polygon | MultiPolygon;
export type Line = LineString | MultiLineString;

// Bounds are in degrees.
export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

// parts returns the rings of an area, or the strings of a line.
export function parts(shape: Area | Line): Position[][] {
  switch (shape.type) {
    case "LineString":
      return [shape.coordinates];
    case "MultiPolygon":
      return shape.coordinates.flat();
    default:
      return shape.coordinates;
  }
}

export function boundsOf(shape: Area | Line): Bounds {
  const b = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity };
  for (const part of parts(shape)) {
    for (const [lon = 0, lat = 0] of part) {
      if (lon < b.west) b.west = lon;
      if (lon > b.east) b.east = lon;
      if (lat < b.south) b.south = lat;
      if (lat > b.north) b.north = lat;
    }
  }
  return b;
}

// centreOf returns the centre of an area's bounding box.
export function centreOf(area: Area): Place {
  const { west, south, east, north } = boundsOf(area);
  return { lon: (west + east) / 2, lat: (south + north) / 2 };
}

// contains reports whether a place lies in an area and not in a hole of it.
export function contains(area: Area, { lon, lat }: Place): boolean {
  let inside = false;
  for (const ring of parts(area)) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [ax = 0, ay = 0] = ring[i] ?? [];
      const [bx = 0, by = 0] = ring[j] ?? [];
      if (ay > lat !== by > lat && lon < ((bx - ax) * (lat - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}

// distance returns the metres between two places that are not far apart.
export function distance(a: Place, b: Place): number {
  const lonScale = Math.cos((a.lat * Math.PI) / 180);
  return Math.hypot((a.lon - b.lon) * lonScale, a.lat - b.lat) * 111_195;
}
