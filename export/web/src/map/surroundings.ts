// Places and waters in and around the city. They are asked for once a page and do not change while it is open.
import * as api from "../api";
import { t } from "../language";
import type { Point as Place } from "./arrowkeys";
import { distance, type Area, type Line } from "./geometry";
import type { Name } from "./names";

let askedPlaces: Promise<readonly Name[]> | null = null;
let askedWater: Promise<readonly (Area | Line)[]> | null = null;
let known: readonly Name[] = []; // the places, once they have come

// places returns the places in and around the city; none when they cannot be had.
export function places(): Promise<readonly Name[]> {
  return (askedPlaces ??= api.get<api.GeoJSONAnswer<"getPlaces">>("/api/v1/places").then(
    ({ features }) =>
      (known = features.map(({ geometry, properties: { name, people } }) => {
        const [lon = 0, lat = 0] = geometry.coordinates;
        return { name, people, lon, lat };
      })),
    () => {
      askedPlaces = null; // they can be asked for again
      return [];
    },
  ));
}

// water returns the rivers and lakes; none when they cannot be had.
export function water(): Promise<readonly (Area | Line)[]> {
  return (askedWater ??= api.get<api.GeoJSONAnswer<"getWater">>("/api/v1/water").then(
    ({ features }) => features.map((f) => f.geometry as Area | Line),
    () => {
      askedWater = null;
      return [];
    },
  ));
}

const at = 1500; // metres within which something is at a place
const near = 15_000; // metres within which it is near it

// nearestPlace returns the place that is nearest and its distance in metres; null where none is near. Of two that are about as near
// it is the smaller one, because a city's point says nothing.
export function nearestPlace(list: readonly Name[], where: Place): { name: string; metres: number } | null {
  let best: { name: string; metres: number } | null = null;
  let least = Infinity;
  for (const { name, people, ...place } of list) {
    const metres = distance(place, where);
    const cost = metres + (people > 500_000 ? at : 0);
    if (metres <= near && cost < least) [best, least] = [{ name, metres }, cost];
  }
  return best;
}

// placeText returns where something is: "Worringen" or "near Worringen"; empty where nothing is near and until places have come.
export function placeText(where: Place): string {
  const found = nearestPlace(known, where);
  if (!found) return "";
  return found.metres <= at ? found.name : t("map.near", { place: found.name });
}

// findPlaces returns the places whose names begin with a text, then those that contain it, whatever the accents.
export function findPlaces(list: readonly Name[], text: string): Name[] {
  const wanted = plain(text);
  if (!wanted) return [];
  const begins = list.filter((p) => plain(p.name).startsWith(wanted));
  return [...begins, ...list.filter((p) => !begins.includes(p) && plain(p.name).includes(wanted))].slice(0, 8);
}

// plain removes what people leave out when they type: capitals, accents, and the other ways to write umlauts.
const plain = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/ä|ae/g, "a")
    .replace(/ö|oe/g, "o")
    .replace(/ü|ue/g, "u")
    .replace(/ß/g, "ss")
    .normalize("NFD")
    .replace(/\p{M}/gu, "");
