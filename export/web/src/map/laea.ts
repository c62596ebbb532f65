// Where the cells of the European statistical grid are: the inverse of ETRS89-LAEA (EPSG:3035).
import type { Point as Place } from "./arrowkeys";

// The projection's parameters (EPSG registry, method 9820), angles in radians, lengths in metres.
const [lat0, lon0, falseEast, falseNorth] = [(52 * Math.PI) / 180, (10 * Math.PI) / 180, 4_321_000, 3_210_000];
const a = 6_378_137; // GRS 80
const f = 1 / 298.257222101;
const e2 = f * (2 - f);
const e = Math.sqrt(e2);

// q is the function of authalic latitude (J. P. Snyder, Map Projections, 1987, equation 3-12).
const q = (lat: number): number => {
  const s = e * Math.sin(lat);
  return (1 - e2) * (Math.sin(lat) / (1 - s * s) - Math.log((1 - s) / (1 + s)) / (2 * e));
};
const qPole = q(Math.PI / 2);
const beta0 = Math.asin(q(lat0) / qPole);
const radius = a * Math.sqrt(qPole / 2);
const d = (a * Math.cos(lat0)) / Math.sqrt(1 - e2 * Math.sin(lat0) ** 2) / (radius * Math.cos(beta0));

// unproject returns the place of coordinates in metres (Snyder, equations 24-26 and 3-18).
export function unproject(east: number, north: number): Place {
  const [x, y] = [(east - falseEast) / d, (north - falseNorth) * d];
  const rho = Math.hypot(x, y);
  if (rho === 0) return { lon: (lon0 * 180) / Math.PI, lat: (lat0 * 180) / Math.PI };
  const c = 2 * Math.asin(rho / (2 * radius));
  const beta = Math.asin(Math.cos(c) * Math.sin(beta0) + (y * Math.sin(c) * Math.cos(beta0)) / rho);
  const lon = lon0 + Math.atan2(x * Math.sin(c), rho * Math.cos(beta0) * Math.cos(c) - y * Math.sin(beta0) * Math.sin(c));
  const lat =
    beta +
    (e2 / 3 + (31 * e2 ** 2) / 180 + (517 * e2 ** 3) / 5040) * Math.sin(2 * beta) +
    ((23 * e2 ** 2) / 360 + (251 * e2 ** 3) / 3780) * Math.sin(4 * beta) +
    ((761 * e2 ** 3) / 45360) * Math.sin(6 * beta);
  return { lon: (lon * 180) / Math.PI, lat: (lat * 180) / Math.PI };
}

// CellCode is what a cell's code says, in metres.
export interface CellCode {
  size: number;
  north: number;
  east: number;
}

// parseCell reads a code such as CRS3035RES1000mN3096000E4107000; null when it is none.
export function parseCell(code: string): CellCode | null {
  const parts = /^CRS3035RES(\d+)mN(\d+)E(\d+)$/.exec(code);
  if (!parts) return null;
  const [size = 0, north = 0, east = 0] = parts.slice(1).map(Number);
  return size > 0 ? { size, north, east } : null;
}

export const cellCentre = ({ size, north, east }: CellCode): Place => unproject(east + size / 2, north + size / 2);
