// The map: boundary, cells and stations. It draws what it is given and says what was chosen.
import type { ExpressionSpecification, Map as MapLibre } from "maplibre-gl";
import type { City, Districts, State } from "../api";
import { t } from "../language";
import type { Chosen, Place } from "./view";
import { colourOf, type Step } from "./colours";
import { target, keyboardCursor } from "./cursor";
import { createCityMap, emptyCollection } from "./citymap";
import { adaptToStationCount, airLayers, clickableLayers } from "./layers";

export interface AirMap {
  setLabel(label: string): void;
  city(city: City): void;
  grid(grid: Cells | null, legend: readonly Step[]): void;
  districts(districts: Districts | null, quantity: string, legend: readonly Step[]): void;
  stations(stations: StationPlaces, visible: boolean): void;
  highlight(chosen: Chosen | null): void;
  moveTo(place: Place | null): void; // null shows the whole city
}

// Cells are areas of the grid, each with the value that colours it; one that rests on one station is hatched.
export type Cells = GeoJSON.FeatureCollection<GeoJSON.Polygon, { cell: string; mean: number; stations?: number }>;

// Places are where stations stand, and how each is doing.
export type StationPlaces = GeoJSON.FeatureCollection<GeoJSON.Point, { state: State }>;

// Heard is what a person does on the map.
export interface MapEvents {
  choose(chosen: Chosen | null): void;
  moved?(place: Place): void;
  drawn?(): void; // values are on the map
  words(area: Chosen): string; // what is said of a cell or a district on which the keyboard's cursor stands
}

export function createAirMap(container: HTMLElement, events: MapEvents): AirMap {
  const base = createCityMap(container, airLayers);
  const { map, ready, set } = base;
  chooseOnClick(map, events.choose);
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    if (base.moved()) events.moved?.({ lon: lng, lat, zoom: map.getZoom() });
  });
  const drawn = (): void =>
    void map.once("idle", () => {
      performance.mark("values"); // for who measures
      events.drawn?.();
    });
  const cursor = keyboardCursor(container, base, events.choose, events.words);
  return {
    setLabel: (label) => base.setLabels(label, t("map.keys")),
    city: base.city,
    moveTo: base.moveTo,
    grid(grid, legend) {
      if (grid) drawn();
      cursor.setTargets("cell", grid?.features.map((f) => target("cell", f.properties.cell, f.geometry)) ?? []);
      if (!grid) return set("grid", emptyCollection);
      const features = grid.features.map(({ type, geometry, properties: p }) => ({
        type,
        geometry,
        properties: { cell: p.cell, stations: p.stations, colour: colourOf(legend, p.mean) },
      }));
      set("grid", { type: "FeatureCollection", features });
    },
    districts(districts, quantity, legend) {
      cursor.setTargets("district", districts?.features.map((f) => target("district", f.properties.name, f.geometry)) ?? []);
      if (!districts) return set("districts", emptyCollection);
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
      void ready.then(() => adaptToStationCount(map, features.length));
      set("stations", {
        type: "FeatureCollection",
        features: features.map((f) => ({ type: f.type, geometry: f.geometry, properties: { id: f.id, state: f.properties.state } })),
      });
    },
    highlight(chosen) {
      cursor.moveTo(chosen);
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

function chooseOnClick(map: MapLibre, choose: (chosen: Chosen | null) => void): void {
  const at = ({ x, y }: ScreenPoint, near: number, layers: readonly string[]) => {
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
    const station = at(point, 8, clickableLayers.station); // a finger is not a needle
    if (station) return choose({ kind: "station", id: String(station.id) });
    const cell = at(point, 0, clickableLayers.cell);
    if (cell) return choose({ kind: "cell", id: String(cell.cell) });
    const district = at(point, 0, clickableLayers.district);
    choose(district ? { kind: "district", id: String(district.name) } : null);
  });
  let pointer: ScreenPoint | null = null; // that has moved since the map last looked below it
  map.on("mousemove", ({ point }) => {
    if (!pointer && !map.isMoving())
      requestAnimationFrame(() => {
        if (pointer) map.getCanvas().style.cursor = at(pointer, 0, Object.values(clickableLayers).flat()) ? "pointer" : "";
        pointer = null;
      });
    pointer = map.isMoving() ? null : point;
  });
}

interface ScreenPoint {
  x: number;
  y: number;
}
