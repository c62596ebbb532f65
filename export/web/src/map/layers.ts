// How areas and stations are drawn: MapLibre's layers, the lowest first.
import type { ExpressionSpecification, LayerSpecification, Map as MapLibre } from "maplibre-gl";
import type { MapLayers } from "./citymap";
import type { Theme } from "./theme";
import { symbolColours, symbol } from "./symbol";

export const airLayers: MapLayers = {
  sources: ["districts", "grid", "cursor", "stations"],
  maxTileZoom: 11,
  areaLayers,
  markLayers,
  images: addImages,
};

const apartZoom = 12.5; // zoom from which the pictures of many stations do not overlap
const manyStations = 1500; // more pictures than that make the map slow

// adaptToStationCount draws many stations as dots until the map is zoomed in far enough for pictures.
export function adaptToStationCount(map: MapLibre, stations: number): void {
  map.setLayoutProperty("stations-many", "visibility", stations > manyStations ? "visible" : "none");
  map.setLayerZoomRange("stations", stations > manyStations ? apartZoom : 0, 24);
}

// clickableLayers are the layers of what can be chosen, by kind; the first lies above the others.
export const clickableLayers = { station: ["stations", "stations-many"], cell: ["cells"], district: ["districts"] } as const;

const colours = (of: 0 | 1): string[] => [
  ...Object.entries(symbolColours).flatMap(([state, pair]) => [state, pair[of]]),
  symbolColours.ok[of],
];

const single: ExpressionSpecification = ["==", ["get", "stations"], 1];
const noFeature = (property: string): ExpressionSpecification => ["==", ["get", property], ""];

function areaLayers(c: Theme): LayerSpecification[] {
  return [
    { id: "districts", type: "fill", source: "districts", paint: { "fill-color": ["get", "colour"], "fill-opacity": c.areaOpacity } },
    { id: "districts-line", type: "line", source: "districts", paint: { "line-color": c.edge, "line-width": 1 } },
    {
      id: "cells",
      type: "fill",
      source: "grid",
      paint: { "fill-color": ["get", "colour"], "fill-opacity": c.areaOpacity, "fill-antialias": false },
    },
    {
      id: "cells-single",
      type: "fill",
      source: "grid",
      filter: single,
      paint: { "fill-pattern": "hatch", "fill-opacity": 0.55, "fill-antialias": false },
    },
    { id: "cells-line", type: "line", source: "grid", paint: { "line-color": c.line, "line-width": 1 } },
  ];
}

function markLayers(c: Theme): LayerSpecification[] {
  const line = { "line-color": c.mark, "line-width": 3 };
  return [
    { id: "cell-mark", type: "line", source: "grid", filter: noFeature("cell"), paint: line },
    { id: "district-mark", type: "line", source: "districts", filter: noFeature("name"), paint: line },
    { id: "cursor-halo", type: "line", source: "cursor", paint: { "line-color": c.halo, "line-width": 8 } },
    { id: "cursor", type: "line", source: "cursor", paint: { ...line, "line-width": 4 } },
    {
      id: "station-mark",
      type: "circle",
      source: "stations",
      filter: noFeature("id"),
      paint: { "circle-radius": 11, "circle-color": "transparent", "circle-stroke-color": c.mark, "circle-stroke-width": 2.5 },
    },
    {
      id: "stations-many",
      type: "circle",
      source: "stations",
      maxzoom: apartZoom,
      layout: { visibility: "none" },
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, 2, apartZoom, 5],
        "circle-color": ["match", ["get", "state"], ...colours(0)] as never,
        "circle-stroke-color": ["match", ["get", "state"], ...colours(1)] as never,
        "circle-stroke-width": 1.5,
      },
    },
    {
      id: "stations",
      type: "symbol",
      source: "stations",
      layout: {
        "icon-image": ["concat", "station-", ["get", "state"]],
        "icon-allow-overlap": true,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.55, 12, 1],
      },
    },
  ];
}

async function addImages(map: MapLibre): Promise<void> {
  map.addImage("hatch", hatch(), { pixelRatio: 2 });
  await Promise.all(
    (["ok", "silent", "check", "new"] as const).map(async (state) =>
      map.addImage(`station-${state}`, await loaded(symbol(state)), { pixelRatio: 2 }),
    ),
  );
}

async function loaded(address: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

// hatch returns a pattern of thin diagonal lines for cells with one station: a dark line beside a light one, so that it shows on
// every colour.
function hatch(): { width: number; height: number; data: Uint8ClampedArray } {
  const size = 12;
  const data = new Uint8ClampedArray(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const across = (x + y) % size;
      data.set(across < 2 ? [20, 40, 40, 170] : across < 4 ? [255, 255, 255, 150] : [0, 0, 0, 0], (y * size + x) * 4);
    }
  }
  return { width: size, height: size, data };
}
