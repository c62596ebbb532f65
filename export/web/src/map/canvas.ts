// The map: boundary, cells and stations. It draws what it is given and says what was chosen.
import type { ExpressionSpecification, Map as MapLibre } from "maplibre-gl";
import type { City, Districts, Grid, Stations } from "../api";
import { t } from "../language";
import type { Chosen, Place } from "./choice";
import { colourOf, type Step } from "./colours";
import { target, walk } from "./cursor";
import { ground, nothing } from "./ground";
import { drawing } from "./layers";

export interface CityMap {
  speak(label: string): void;
  city(city: City): void;
  grid(grid: Grid | null, legend: readonly Step[]): void;
  districts(districts: Districts | null, quantity: string, legend: readonly Step[]): void;
  stations(stations: Stations, visible: boolean): void;
  mark(chosen: Chosen | null): void;
  place(place: Place | null): void; // null shows the whole city
}

// Heard is what a person does on the map.
export interface Heard {
  choose(chosen: Chosen | null): void;
  moved?(place: Place): void;
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
  const cursor = walk(container, below, heard.choose, heard.words);
  return {
    speak: (label) => below.speak(label, t("map.keys")),
    city: below.city,
    place: below.look,
    grid(grid, legend) {
      if (grid) map.once("idle", () => performance.mark("values")); // for who measures: they are drawn
      cursor.offer("cell", grid?.features.map((f) => target("cell", f.properties.cell, f.geometry)) ?? []);
      if (!grid) return set("grid", nothing);
      set("grid", {
        ...grid,
        features: grid.features.map((f) => ({ ...f, properties: { ...f.properties, colour: colourOf(legend, f.properties.mean) } })),
      });
    },
    districts(districts, quantity, legend) {
      cursor.offer("district", districts?.features.map((f) => target("district", f.properties.name, f.geometry)) ?? []);
      if (!districts) return set("districts", nothing);
      const features = districts.features.map((f) => {
        const mean = f.properties.quantities.find((q) => q.quantity === quantity)?.mean;
        return { ...f, properties: { name: f.properties.name, colour: mean === undefined ? "rgba(0,0,0,0)" : colourOf(legend, mean) } };
      });
      set("districts", { ...districts, features });
    },
    stations(stations, visible) {
      const features = visible ? stations.features : [];
      set("stations", { ...stations, features: features.map((f) => ({ ...f, properties: { id: f.id, state: f.properties.state } })) });
    },
    mark(chosen) {
      cursor.stand(chosen);
      const filter = (kind: Chosen["kind"], property: string): ExpressionSpecification => ["==", ["get", property], chosen?.kind === kind ? chosen.id : ""];
      void ready.then(() => {
        map.setFilter("cell-mark", filter("cell", "cell"));
        map.setFilter("district-mark", filter("district", "name"));
        map.setFilter("station-mark", filter("station", "id"));
      });
    },
  };
}

function listen(map: MapLibre, choose: (chosen: Chosen | null) => void): void {
  map.on("click", (e) => {
    if (!map.getLayer("stations")) return;
    const near = 8; // pixels: a finger is not a needle
    const around: [[number, number], [number, number]] = [
      [e.point.x - near, e.point.y - near],
      [e.point.x + near, e.point.y + near],
    ];
    const station = map.queryRenderedFeatures(around, { layers: ["stations"] })[0];
    if (station) return choose({ kind: "station", id: String(station.properties.id) });
    const cell = map.queryRenderedFeatures(e.point, { layers: ["cells"] })[0];
    if (cell) return choose({ kind: "cell", id: String(cell.properties.cell) });
    const district = map.queryRenderedFeatures(e.point, { layers: ["districts"] })[0];
    choose(district ? { kind: "district", id: String(district.properties.name) } : null);
  });
  for (const layer of ["stations", "cells", "districts"]) {
    map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
    map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
  }
}
