// A preview of the map, as SVG: it needs neither the map's library nor a graphics card. It is shown in the map's place and from the
// same view until the map has drawn the values. Without WebGL it stays, and it is what is printed.
import type { MultiPolygon, Polygon } from "geojson";
import type { Place } from "./view";
import { colourOf } from "./colours";
import { legendSteps, type State } from "./state";
import { svg } from "../svg";
import { findQuantity } from "./text";

const padding = 20; // pixels around the city, as on the map
const tile = 512; // pixels of the whole world at MapLibre's zoom 0

type Area = Polygon | MultiPolygon;
type Point = readonly [x: number, y: number];

// mercator returns a place in Web Mercator, from 0,0 in the upper left corner of the world to 1,1.
export const mercator = (lon: number, lat: number): Point => [
  lon / 360 + 0.5,
  0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI),
];

const rings = (area: Area): number[][][] => (area.type === "Polygon" ? area.coordinates : area.coordinates.flat());

// projection returns a function from degrees to pixels of a picture: around a place, or so that all of an area is in it.
export function projection(area: Area, place: Place | null, width: number, height: number): (lon: number, lat: number) => Point {
  const points = rings(area)
    .flat()
    .map(([lon = 0, lat = 0]) => mercator(lon, lat));
  const [left, right] = [Math.min(...points.map((p) => p[0])), Math.max(...points.map((p) => p[0]))];
  const [top, bottom] = [Math.min(...points.map((p) => p[1])), Math.max(...points.map((p) => p[1]))];
  const [x, y] = place ? mercator(place.lon, place.lat) : [(left + right) / 2, (top + bottom) / 2];
  const size = place ? tile * 2 ** place.zoom : Math.min((width - 2 * padding) / (right - left), (height - 2 * padding) / (bottom - top));
  return (lon, lat) => {
    const [east, south] = mercator(lon, lat);
    return [width / 2 + (east - x) * size, height / 2 + (south - y) * size];
  };
}

// preview draws the state as a picture of a size in pixels; null before the city has come.
export function preview(s: State, width: number, height: number): SVGElement | null {
  if (!s.city) return null;
  const at = projection(s.city.geometry, s.view.place, width, height);
  const path = (area: Area) =>
    rings(area)
      .map(
        (ring) =>
          `M${ring
            .map(([lon = 0, lat = 0]) =>
              at(lon, lat)
                .map((n) => n.toFixed(1))
                .join(" "),
            )
            .join("L")}Z`,
      )
      .join("");
  const areas = colouredAreas(s);
  const colours = [...new Set(areas.map((a) => a.colour))];
  const all = (list: readonly ColouredArea[]) => list.map((a) => path(a.geometry)).join("");
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}` },
    svg(
      "pattern",
      { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      svg("path", { d: "M0 6L6 0", class: "hatch" }),
      svg("path", { d: "M1.5 6L6 1.5M0 1.5L1.5 0", class: "hatch light" }),
    ),
    svg("path", { d: path(s.city.geometry), class: "city" }),
    ...colours.map((colour) => svg("path", { d: all(areas.filter((a) => a.colour === colour)), fill: colour, class: "area" })),
    svg("path", { d: all(areas.filter((a) => a.single)), fill: "url(#hatch)" }),
    svg("path", { d: all(areas), class: "lines" }),
    svg("path", { d: path(s.city.geometry), class: "edge" }),
  );
}

interface ColouredArea {
  geometry: Area;
  colour: string;
  single: boolean; // its mean is of one station
}

function colouredAreas(s: State): ColouredArea[] {
  const legend = legendSteps(s);
  const cells = (s.grid?.features ?? []).map(({ geometry, properties: p }) => ({
    geometry,
    colour: colourOf(legend, p.mean),
    single: p.stations === 1,
  }));
  const districts = (s.districts?.features ?? []).flatMap(({ geometry, properties: p }) => {
    const q = findQuantity(p.quantities, s.view.quantity);
    return q ? [{ geometry, colour: colourOf(legend, q.mean), single: false }] : [];
  });
  return [...cells, ...districts];
}
