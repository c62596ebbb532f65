// The map of the city that all maps are made of: its boundary, a basemap where the city has one, buttons, keys, size, and light
// and dark colours. Each map adds its own layers.
import maplibregl, { type GeoJSONSource, type LayerSpecification, type Map as MapLibre } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import type { City } from "../api";
import { h } from "../dom";
import { t } from "../language";
import type { Basemap } from "./basemap";
import type { Place } from "./view";
import "./citymap.css";
import { darkScheme, theme, lowestLayer, repaint, type Theme } from "./theme";
import { arrowKeys, type Point } from "./arrowkeys";

// MapLayers are the sources and layers that a map adds.
export interface MapLayers {
  sources: readonly string[];
  maxTileZoom?: number; // zoom from which tiles are only enlarged; at 11 they resolve 2.4 m
  areaLayers(theme: Theme): LayerSpecification[]; // below the boundary's line
  markLayers(theme: Theme): LayerSpecification[]; // above it
  images?(map: MapLibre): Promise<void>; // adds the images that the layers use
}

export interface CityMap {
  readonly map: MapLibre;
  readonly ready: Promise<void>; // resolves when all layers are on the map
  set(source: string, data: GeoJSON.GeoJSON): void;
  city(city: City): void;
  moveTo(place: Place | null): void; // null shows the whole city
  moved(): boolean; // by a person, or to a place; until then the whole city is shown
  setLabels(label: string, keys: string): void; // the map's name, and which keys do what
}

export const emptyCollection = { type: "FeatureCollection" as const, features: [] };
const padding = 20; // pixels around the city

// createCityMap makes a map in a container, which may get its size later.
export function createCityMap(container: HTMLElement, own: MapLayers): CityMap {
  const map = createMapLibre(container);
  const ready = new Promise<void>((done) => map.once("load", () => done())).then(() => addLayers(map, own));
  let basemap: Basemap | null = null;
  const paint = (): void => repaint(map, allLayers(own, theme(basemap?.visible())));
  darkScheme.addEventListener("change", () => void ready.then(paint));
  // showBasemap loads the basemap where the city has one. Until then, and without one, the background is plain.
  async function showBasemap({ properties }: City): Promise<void> {
    if (!properties.basemap && !properties.basemap_tiles) return;
    const [{ addBasemap }] = await Promise.all([import("./basemap"), ready]);
    basemap = addBasemap(map, container, properties, paint);
  }
  const hint = h("p", { class: "map-keys", id: `keys-${(hintCount += 1)}` });
  container.append(hint);
  map.getCanvas().setAttribute("aria-describedby", hint.id);
  panWithShift(map);

  let bounds: maplibregl.LngLatBounds | null = null;
  let moved = false;
  const fitCity = () =>
    bounds &&
    !moved &&
    Math.min(container.clientWidth, container.clientHeight) > 2 * padding &&
    map.fitBounds(bounds, { padding, animate: false });
  map.on("movestart", (e) => (moved ||= e.originalEvent !== undefined));
  map.on("resize", fitCity);
  new ResizeObserver(() => map.resize()).observe(container); // MapLibre itself ignores the first size, which it gets when it comes onto the page

  const sent = new Map<string, string>(); // by source: what has not changed is not sent again
  const set = (source: string, data: GeoJSON.GeoJSON): void => {
    const text = JSON.stringify(data);
    if (sent.get(source) === text) return;
    sent.set(source, text);
    void ready.then(() => map.getSource<GeoJSONSource>(source)?.setData(data));
  };
  return {
    map,
    ready,
    set,
    moved: () => moved,
    city(city) {
      set("city", city);
      if (!bounds) void showBasemap(city).catch(console.error);
      bounds ??= boundsOf(city.geometry);
      fitCity();
    },
    moveTo(place) {
      moved = place !== null;
      if (place) map.jumpTo({ center: [place.lon, place.lat], zoom: place.zoom });
      else fitCity();
    },
    setLabels(label, keys) {
      map.getCanvas().setAttribute("aria-label", label);
      hint.textContent = keys;
      basemap?.setLabels();
      for (const [name, text] of [
        ["in", t("map.zoomIn")],
        ["out", t("map.zoomOut")],
      ] as const) {
        const button = container.querySelector(`.maplibregl-ctrl-zoom-${name}`);
        button?.setAttribute("aria-label", text);
        button?.setAttribute("title", text);
      }
    },
  };
}

let hintCount = 0;

function createMapLibre(container: HTMLElement): MapLibre {
  const map = new maplibregl.Map({
    container,
    style: { version: 8, sources: {}, layers: [backgroundLayer(theme())] },
    center: [6.96, 50.95],
    zoom: 9.5,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 100 }), "bottom-right");
  return map;
}

const backgroundLayer = (c: Theme): LayerSpecification => ({ id: "land", type: "background", paint: { "background-color": c.land } });

// allLayers are the city's and the map's own, the lowest first.
const allLayers = (own: MapLayers, c: Theme): LayerSpecification[] => [
  backgroundLayer(c),
  { id: lowestLayer, type: "fill", source: "city", paint: { "fill-color": c.city, "fill-opacity": c.cityOpacity } },
  ...own.areaLayers(c),
  { id: "city-line", type: "line", source: "city", paint: { "line-color": c.edge, "line-width": 1.5 } },
  ...own.markLayers(c),
];

async function addLayers(map: MapLibre, own: MapLayers): Promise<void> {
  await own.images?.(map);
  for (const source of ["city", ...own.sources])
    map.addSource(source, { type: "geojson", data: emptyCollection, maxzoom: own.maxTileZoom ?? 18 });
  for (const layer of allLayers(own, theme()).slice(1)) map.addLayer(layer);
}

const panStep = 100; // pixels, as MapLibre's own for arrow keys

// panWithShift lets arrow keys with Shift move the map, for maps on which arrow keys alone do something else.
function panWithShift(map: MapLibre): void {
  map.getCanvas().addEventListener("keydown", (e) => {
    const arrow = arrowKeys[e.key];
    if (!arrow || !e.shiftKey) return;
    e.preventDefault();
    map.panBy([arrow[0] * panStep, arrow[1] * panStep], { duration: 300 }, { originalEvent: e });
  });
}

// boundsOf returns the bounding box of an area.
export function boundsOf(area: GeoJSON.MultiPolygon | GeoJSON.Polygon): maplibregl.LngLatBounds {
  const bounds = new maplibregl.LngLatBounds();
  for (const polygon of area.type === "Polygon" ? [area.coordinates] : area.coordinates)
    for (const [lon = 0, lat = 0] of polygon[0] ?? []) bounds.extend([lon, lat]);
  return bounds;
}

// centreOf returns the centre of an area's bounding box.
export function centreOf(area: GeoJSON.MultiPolygon | GeoJSON.Polygon): Point {
  const { lng, lat } = boundsOf(area).getCenter();
  return { lon: lng, lat };
}
