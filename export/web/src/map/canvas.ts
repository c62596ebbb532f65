// The map: boundary, cells and stations. It draws what it is given and says what was chosen.
import maplibregl, { type ExpressionSpecification, type GeoJSONSource, type Map as MapLibre } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import type { City, Grid, Stations } from "../api";
import { colourOf, type Step } from "./colours";

export interface Chosen {
  kind: "cell" | "station";
  id: string;
}

export interface CityMap {
  speak(words: { map: string; zoomIn: string; zoomOut: string }): void;
  city(city: City): void;
  grid(grid: Grid | null, legend: readonly Step[]): void;
  stations(stations: Stations): void;
  mark(chosen: Chosen | null): void;
}

const empty = { type: "FeatureCollection" as const, features: [] };
const dark = (): boolean => matchMedia("(prefers-color-scheme: dark)").matches;
const ink = () =>
  dark()
    ? { land: "#1d2626", city: "#26302f", edge: "#8fb3b0", line: "#0f1615", mark: "#ffffff" }
    : { land: "#eef1ee", city: "#fbfcfa", edge: "#47615f", line: "#ffffff", mark: "#10201f" };

export function create(container: HTMLElement, choose: (chosen: Chosen | null) => void): CityMap {
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
  listen(map, choose);
  let bounds: maplibregl.LngLatBounds | null = null;
  let moved = false; // by a person; until then the city stays in the frame
  const frame = () => bounds && !moved && map.fitBounds(bounds, { padding: 24, animate: false });
  map.on("movestart", (e) => (moved ||= e.originalEvent !== undefined));
  map.on("resize", frame);
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
    stations(stations) {
      set("stations", {
        ...stations,
        features: stations.features.map((f) => ({ ...f, properties: { id: f.id, state: f.properties.state, name: f.properties.name } })),
      });
    },
    mark(chosen) {
      void loaded.then(() => {
        map.setFilter("cell-mark", ["==", ["get", "cell"], chosen?.kind === "cell" ? chosen.id : ""]);
        map.setFilter("station-mark", ["==", ["get", "id"], chosen?.kind === "station" ? chosen.id : ""]);
      });
    },
  };
}

function addLayers(map: MapLibre): void {
  const c = ink();
  map.addImage("hatch", hatch(), { pixelRatio: 2 });
  for (const state of ["ok", "silent", "check", "new"] as const) map.addImage(`station-${state}`, symbol(state), { pixelRatio: 2 });
  map.addSource("city", { type: "geojson", data: empty });
  map.addSource("grid", { type: "geojson", data: empty });
  map.addSource("stations", { type: "geojson", data: empty });
  map.addLayer({ id: "city", type: "fill", source: "city", paint: { "fill-color": c.city } });
  map.addLayer({ id: "cells", type: "fill", source: "grid", paint: { "fill-color": ["get", "colour"], "fill-opacity": 0.82 } });
  const single: ExpressionSpecification = ["==", ["get", "stations"], 1];
  map.addLayer({ id: "cells-single", type: "fill", source: "grid", filter: single, paint: { "fill-pattern": "hatch", "fill-opacity": 0.55 } });
  map.addLayer({ id: "cells-line", type: "line", source: "grid", paint: { "line-color": c.line, "line-width": 1 } });
  map.addLayer({ id: "city-line", type: "line", source: "city", paint: { "line-color": c.edge, "line-width": 1.5 } });
  const nothing: ExpressionSpecification = ["==", ["get", "cell"], ""];
  map.addLayer({ id: "cell-mark", type: "line", source: "grid", filter: nothing, paint: { "line-color": c.mark, "line-width": 3 } });
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
  map.setPaintProperty("cell-mark", "line-color", c.mark);
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
    choose(cell ? { kind: "cell", id: String(cell.properties.cell) } : null);
  });
  for (const layer of ["stations", "cells"]) {
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

// symbol draws a station: a dot when it reports, a ring when it is silent, a triangle when it should be
// looked at, a small square when it was never heard. Shapes tell them apart without colour.
export function symbol(state: "ok" | "silent" | "check" | "new"): ImageData {
  const size = 28;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const g = canvas.getContext("2d");
  if (!g) return new ImageData(size, size);
  const middle = size / 2;
  g.beginPath();
  if (state === "check") {
    g.moveTo(middle, 4);
    g.lineTo(size - 3, size - 5);
    g.lineTo(3, size - 5);
    g.closePath();
  } else if (state === "new") {
    g.rect(middle - 6, middle - 6, 12, 12);
  } else {
    g.arc(middle, middle, 8, 0, 2 * Math.PI);
  }
  g.fillStyle = { ok: "#0a5c63", silent: "#ffffff", check: "#b35900", new: "#9aa5a4" }[state];
  g.fill();
  g.lineWidth = state === "silent" ? 4 : 3;
  g.strokeStyle = state === "silent" ? "#5b6b6a" : "#ffffff";
  g.stroke();
  return g.getImageData(0, 0, size, size);
}
