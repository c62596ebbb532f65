// The official station near a station, whose means stand beside its own.
import * as api from "../api";
import { distance } from "../map/geometry";
import { series, type Period, type Series } from "./series";

const within = 5000; // metres within which the city's stations are compared with official ones

// Official is an official station with a value for each window of a series, null where there is none.
export interface Official {
  name: string;
  metres: number;
  values: (number | null)[];
}

// official returns the nearest official station that measures a quantity, with its means of the windows of own; null where none is near.
export async function official(
  { geometry, properties }: api.Station,
  own: Promise<Series>,
  quantity: string,
  period: Period,
  now: Date,
): Promise<Official | null> {
  if (properties.official) return null;
  const { features } = await api.officialStations(quantity);
  const [nearest] = features
    .filter((f) => quantity in f.properties.values)
    .map((f) => ({ id: f.id, name: f.properties.name, metres: distance(placeOf(geometry), placeOf(f.geometry)) }))
    .filter((f) => f.metres <= within)
    .sort((a, b) => a.metres - b.metres);
  if (!nearest) return null;
  const theirs = await series(nearest.id, quantity, period, now);
  const means = new Map(theirs.start.map((at, i) => [at, theirs.measured[i] ?? null]));
  const values = (await own).start.map((at) => means.get(at) ?? null);
  return values.some((v) => v !== null) ? { name: nearest.name, metres: nearest.metres, values } : null;
}

const placeOf = ({ coordinates: [lon = 0, lat = 0] }: { coordinates: readonly number[] }) => ({ lon, lat });
