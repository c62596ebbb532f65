// The map of the air: cells or districts with their colours, and stations. It draws what it is given and reports what is chosen.
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

// Cells are areas of the grid, each with the value that colours it; one with one station is hatched.
export type Cells = GeoJSON.FeatureCollection<GeoJSON.Polygon, { cell: string; mean: number; stations?: number }>;

// StationPlaces are the places of stations and the state of each.
export type StationPlaces = GeoJSON.FeatureCollection<GeoJSON.Point, { state: State }>;

// MapEvents are called when something happens on the map.
export interface MapEvents {
  choose(chosen: Chosen | null): void;
  moved?(place: Place): void;
  drawn?(): void; // the values are on the map
  describe(area: Chosen): string; // the cell or district that the keyboard's cursor is on, for screen readers
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
      performance.mark("values"); // for tests and measurements
      events.drawn?.();
    });
  const cursor = keyboardCursor(container, base, events.choose, events.describe);
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
  const featureAt = ({ x, y }: ScreenPoint, near: number, layers: readonly string[]) => {
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
    const station = featureAt(point, 8, clickableLayers.station); // fingers are not precise
    if (station) return choose({ kind: "station", id: String(station.id) });
    const cell = featureAt(point, 0, clickableLayers.cell);
    if (cell) return choose({ kind: "cell", id: String(cell.cell) });
    const district = featureAt(point, 0, clickableLayers.district);
    choose(district ? { kind: "district", id: String(district.name) } : null);
  });
  let pointer: ScreenPoint | null = null; // where the mouse has moved since the last look at the layers there
  map.on("mousemove", ({ point }) => {
    if (!pointer && !map.isMoving())
      requestAnimationFrame(() => {
        if (pointer) map.getCanvas().style.cursor = featureAt(pointer, 0, Object.values(clickableLayers).flat()) ? "pointer" : "";
        pointer = null;
      });
    pointer = map.isMoving() ? null : point;
  });
}

interface ScreenPoint {
  x: number;
  y: number;
}
