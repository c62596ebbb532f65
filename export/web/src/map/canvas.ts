// The map: boundary, cells and stations. It draws what it is given and says what was chosen.
import maplibregl, { type ExpressionSpecification, type GeoJSONSource, type Map as MapLibre } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import type { City, Districts, Grid, Stations } from "../api";
import type { Chosen, Place } from "./choice";
import { colourOf, type Step } from "./colours";
import "./canvas.css";
import { symbol } from "./symbol";

// Words are what the map is called, and its buttons.
export interface Words {
  map: string;
  zoomIn: string;
  zoomOut: string;
}

export interface CityMap {
  speak(words: Words): void;
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
  moved(place: Place): void;
}

const empty = { type: "FeatureCollection" as const, features: [] };
const dark = (): boolean => matchMedia("(prefers-color-scheme: dark)").matches;
const ink = () =>
  dark()
    ? { land: "#1d2626", city: "#26302f", edge: "#8fb3b0", line: "#0f1615", mark: "#ffffff" }
    : { land: "#eef1ee", city: "#fbfcfa", edge: "#47615f", line: "#ffffff", mark: "#10201f" };

export function create(container: HTMLElement, heard: Heard): CityMap {
  const map = new maplibregl.Map({
    container,
    style: { version: 8, sources: {}, layers: [{ id: "land", type: "background", paint: { "background-color": ink().land } }] },
    center: [6.96, 50.95],
    zoom: 9.5,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
    cooperativeGestures: false,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 100 }), "bottom-right");
  const loaded = new Promise<void>((resolve) => map.once("load", () => resolve()));
  void loaded.then(() => addLayers(map));
  listen(map, heard.choose);
  let bounds: maplibregl.LngLatBounds | null = null;
  let moved = false; // by a person; until then the city stays in the frame
  const frame = () => bounds && !moved && map.fitBounds(bounds, { padding: 24, animate: false });
  map.on("movestart", (e) => (moved ||= e.originalEvent !== undefined));
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    if (moved) heard.moved({ lon: lng, lat, zoom: map.getZoom() });
  });
  map.on("resize", frame);
  new ResizeObserver(() => map.resize()).observe(container); // MapLibre leaves out the first size, which it has when it comes onto the page
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => recolour(map));

  const set = (source: string, data: GeoJSON.GeoJSON) => void loaded.then(() => (map.getSource(source) as GeoJSONSource).setData(data));
  return {
    speak(words) {
      map.getCanvas().setAttribute("aria-label", words.map);
      for (const [name, text] of [["in", words.zoomIn], ["out", words.zoomOut]] as const) {
        const button = container.querySelector(`.maplibregl-ctrl-zoom-${name}`);
        button?.setAttribute("aria-label", text);
        button?.setAttribute("title", text);
      }
    },
    city(city) {
      set("city", city);
      if (bounds) return;
      bounds = new maplibregl.LngLatBounds();
      for (const polygon of city.geometry.coordinates) for (const p of polygon[0] ?? []) bounds.extend([p[0] ?? 0, p[1] ?? 0]);
      frame();
    },
    grid(grid, legend) {
      if (!grid) return set("grid", empty);
      set("grid", {
        ...grid,
        features: grid.features.map((f) => ({ ...f, properties: { ...f.properties, colour: colourOf(legend, f.properties.mean) } })),
      });
    },
    districts(districts, quantity, legend) {
      if (!districts) return set("districts", empty);
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
      const filter = (kind: Chosen["kind"], property: string): ExpressionSpecification => ["==", ["get", property], chosen?.kind === kind ? chosen.id : ""];
      void loaded.then(() => {
        map.setFilter("cell-mark", filter("cell", "cell"));
        map.setFilter("district-mark", filter("district", "name"));
        map.setFilter("station-mark", filter("station", "id"));
      });
    },
    place(place) {
      moved = place !== null;
      if (place) map.jumpTo({ center: [place.lon, place.lat], zoom: place.zoom });
      else frame();
    },
  };
}

function addLayers(map: MapLibre): void {
  const c = ink();
  map.addImage("hatch", hatch(), { pixelRatio: 2 });
  for (const state of ["ok", "silent", "check", "new"] as const) map.addImage(`station-${state}`, symbol(state), { pixelRatio: 2 });
  for (const source of ["city", "districts", "grid", "stations"]) map.addSource(source, { type: "geojson", data: empty });
  map.addLayer({ id: "city", type: "fill", source: "city", paint: { "fill-color": c.city } });
  map.addLayer({ id: "districts", type: "fill", source: "districts", paint: { "fill-color": ["get", "colour"], "fill-opacity": 0.82 } });
  map.addLayer({ id: "districts-line", type: "line", source: "districts", paint: { "line-color": c.edge, "line-width": 1 } });
  map.addLayer({ id: "cells", type: "fill", source: "grid", paint: { "fill-color": ["get", "colour"], "fill-opacity": 0.82 } });
  const single: ExpressionSpecification = ["==", ["get", "stations"], 1];
  map.addLayer({ id: "cells-single", type: "fill", source: "grid", filter: single, paint: { "fill-pattern": "hatch", "fill-opacity": 0.55 } });
  map.addLayer({ id: "cells-line", type: "line", source: "grid", paint: { "line-color": c.line, "line-width": 1 } });
  map.addLayer({ id: "city-line", type: "line", source: "city", paint: { "line-color": c.edge, "line-width": 1.5 } });
  const nothing: ExpressionSpecification = ["==", ["get", "cell"], ""];
  map.addLayer({ id: "cell-mark", type: "line", source: "grid", filter: nothing, paint: { "line-color": c.mark, "line-width": 3 } });
  map.addLayer({ id: "district-mark", type: "line", source: "districts", filter: ["==", ["get", "name"], ""], paint: { "line-color": c.mark, "line-width": 3 } });
  map.addLayer({
    id: "station-mark",
    type: "circle",
    source: "stations",
    filter: ["==", ["get", "id"], ""],
    paint: { "circle-radius": 11, "circle-color": "transparent", "circle-stroke-color": c.mark, "circle-stroke-width": 2.5 },
  });
  map.addLayer({
    id: "stations",
    type: "symbol",
    source: "stations",
    layout: {
      "icon-image": ["concat", "station-", ["get", "state"]],
      "icon-allow-overlap": true,
      "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.55, 12, 1],
    },
  });
}

function recolour(map: MapLibre): void {
  if (!map.getLayer("city")) return;
  const c = ink();
  map.setPaintProperty("land", "background-color", c.land);
  map.setPaintProperty("city", "fill-color", c.city);
  map.setPaintProperty("city-line", "line-color", c.edge);
  map.setPaintProperty("cells-line", "line-color", c.line);
  map.setPaintProperty("districts-line", "line-color", c.edge);
  map.setPaintProperty("cell-mark", "line-color", c.mark);
  map.setPaintProperty("district-mark", "line-color", c.mark);
  map.setPaintProperty("station-mark", "circle-stroke-color", c.mark);
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

// hatch is a pattern of thin diagonal lines for cells that rest on one station.
function hatch(): { width: number; height: number; data: Uint8ClampedArray } {
  const size = 16;
  const data = new Uint8ClampedArray(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const on = (x + y) % size < 3;
      data.set([20, 40, 40, on ? 150 : 0], (y * size + x) * 4);
    }
  }
  return { width: size, height: size, data };
}
