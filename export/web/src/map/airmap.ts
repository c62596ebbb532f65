// The map: boundary, cells and stations. It draws what it is given and says what was chosen.
import type { ExpressionSpecification, Map as MapLibre } from "maplibre-gl";
import type { City, Districts, State } from "../api";
import { t } from "../language";
import type { Chosen, Place } from "./view";
import { colourOf, type Step } from "./colours";
import { target, walk } from "./cursor";
import { ground, nothing } from "./citymap";
import { crowd, drawing, places } from "./layers";

export interface CityMap {
  speak(label: string): void;
  city(city: City): void;
  grid(grid: Cells | null, legend: readonly Step[]): void;
  districts(districts: Districts | null, quantity: string, legend: readonly Step[]): void;
  stations(stations: Places, visible: boolean): void;
  mark(chosen: Chosen | null): void;
  place(place: Place | null): void; // null shows the whole city
}

// Cells are areas of the grid, each with the value that colours it; one that rests on one station is hatched.
export type Cells = GeoJSON.FeatureCollection<GeoJSON.Polygon, { cell: string; mean: number; stations?: number }>;

// Places are where stations stand, and how each is doing.
export type Places = GeoJSON.FeatureCollection<GeoJSON.Point, { state: State }>;

// Heard is what a person does on the map.
export interface Heard {
  choose(chosen: Chosen | null): void;
  moved?(place: Place): void;
  drawn?(): void; // values are on the map
  words(area: Chosen): string; // what is said of a cell or a district on which the keyboard's cursor stands
}

export function create(container: HTMLElement, heard: Heard): CityMap {
  const below = ground(container, drawing);
  const { map, ready, set } = below;
  listen(map, heard.choose);
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    if (below.moved()) heard.moved?.({ lon: lng, lat, zoom: map.getZoom() });
  });
  const drawn = (): void =>
    void map.once("idle", () => {
      performance.mark("values"); // for who measures
      heard.drawn?.();
    });
  const cursor = walk(container, below, heard.choose, heard.words);
  return {
    speak: (label) => below.speak(label, t("map.keys")),
    city: below.city,
    place: below.look,
    grid(grid, legend) {
      if (grid) drawn();
      cursor.offer("cell", grid?.features.map((f) => target("cell", f.properties.cell, f.geometry)) ?? []);
      if (!grid) return set("grid", nothing);
      const features = grid.features.map(({ type, geometry, properties: p }) => ({
        type,
        geometry,
        properties: { cell: p.cell, stations: p.stations, colour: colourOf(legend, p.mean) },
      }));
      set("grid", { type: "FeatureCollection", features });
    },
    districts(districts, quantity, legend) {
      cursor.offer("district", districts?.features.map((f) => target("district", f.properties.name, f.geometry)) ?? []);
      if (!districts) return set("districts", nothing);
      drawn();
      const features = districts.features.map((f) => {
        const mean = f.properties.quantities.find((q) => q.quantity === quantity)?.mean;
        return {
          type: f.type,
          geometry: f.geometry,
          properties: { name: f.properties.name, colour: mean === undefined ? "rgba(0,0,0,0)" : colourOf(legend, mean) },
        };
      });
      set("districts", { type: "FeatureCollection", features });
    },
    stations(stations, visible) {
      const features = visible ? stations.features : [];
      void ready.then(() => crowd(map, features.length));
      set("stations", {
        type: "FeatureCollection",
        features: features.map((f) => ({ type: f.type, geometry: f.geometry, properties: { id: f.id, state: f.properties.state } })),
      });
    },
    mark(chosen) {
      cursor.stand(chosen);
      const filter = (kind: Chosen["kind"], property: string): ExpressionSpecification => [
        "==",
        ["get", property],
        chosen?.kind === kind ? chosen.id : "",
      ];
      void ready.then(() => {
        map.setFilter("cell-mark", filter("cell", "cell"));
        map.setFilter("district-mark", filter("district", "name"));
        map.setFilter("station-mark", filter("station", "id"));
      });
    },
  };
}

function listen(map: MapLibre, choose: (chosen: Chosen | null) => void): void {
  const at = ({ x, y }: Spot, near: number, layers: readonly string[]) => {
    const here = layers.filter((layer) => map.getLayer(layer));
    return here.length > 0
      ? map.queryRenderedFeatures(
          [
            [x - near, y - near],
            [x + near, y + near],
          ],
          { layers: here },
        )[0]?.properties
      : undefined;
  };
  map.on("click", ({ point }) => {
    const station = at(point, 8, places.station); // a finger is not a needle
    if (station) return choose({ kind: "station", id: String(station.id) });
    const cell = at(point, 0, places.cell);
    if (cell) return choose({ kind: "cell", id: String(cell.cell) });
    const district = at(point, 0, places.district);
    choose(district ? { kind: "district", id: String(district.name) } : null);
  });
  let pointer: Spot | null = null; // that has moved since the map last looked below it
  map.on("mousemove", ({ point }) => {
    if (!pointer && !map.isMoving())
      requestAnimationFrame(() => {
        if (pointer) map.getCanvas().style.cursor = at(pointer, 0, Object.values(places).flat()) ? "pointer" : "";
        pointer = null;
      });
    pointer = map.isMoving() ? null : point;
  });
}

interface Spot {
  x: number;
  y: number;
}
