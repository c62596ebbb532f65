// The basemap, where the city has one: a style from another server, or tiles of this server in our own style, which is made for
// the layers of the Protomaps basemap (docs.protomaps.com/basemaps/layers) and has no names. MapLibre draws it below the map, which
// is moved and drawn without it; so what is measured is seen in a browser without WebGL as well.
import maplibregl, { type Map as MapLibre, type StyleSpecification } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import type { CityProperties } from "../api";
import { h } from "../dom";
import { t } from "../language";
import { degrees, type Camera } from "./camera";
import { darkScheme } from "./theme";

type Source = StyleSpecification["sources"][string];

// Style returns a MapLibre style; the dark scheme may have another.
type Style = (dark: boolean) => StyleSpecification;

export interface Basemap {
  visible(): boolean; // it is on the map, so that the land must not cover it
  moveTo(camera: Camera): void;
  setLabels(): void;
}

// addBasemap adds the city's basemap below the container's map, and who made it to a corner, and calls changed when it is there. When
// it cannot be loaded, a note on the map says so.
export function addBasemap(container: HTMLElement, corner: HTMLElement, city: CityProperties, changed: () => void): Basemap {
  const place = h("div", { class: "map-base", "aria-hidden": "true" });
  const note = h("p", { class: "map-note", role: "status" });
  container.prepend(place);
  container.append(note);
  let map: MapLibre | null = null;
  let loaded = false;
  let failed = false; // since the map was last idle
  let camera: Camera | null = null;
  const fail = (why: unknown): void => {
    console.warn("basemap:", why);
    failed = true;
    note.textContent = t("map.noBasemap");
  };
  const show = (style: Style): void => {
    map = create(place, style(darkScheme.matches));
    if (camera) move(map, camera);
    map.on("error", (e: { error: Error }) => fail(e.error.message));
    map.on("style.load", () =>
      map?.once("render", () => {
        loaded = true;
        changed();
      }),
    );
    map.on("idle", () => {
      if (!failed) note.textContent = "";
      failed = false;
    });
    corner.prepend(new maplibregl.AttributionControl({ compact: false, customAttribution: [] }).onAdd(map));
    darkScheme.addEventListener("change", () => map?.setStyle(style(darkScheme.matches)));
  };
  load(city).then(show).catch(fail);
  return {
    visible: () => loaded,
    moveTo(to) {
      camera = to;
      if (map) move(map, to);
    },
    setLabels() {
      if (note.textContent) note.textContent = t("map.noBasemap");
    },
  };
}

const create = (container: HTMLElement, style: StyleSpecification): MapLibre =>
  new maplibregl.Map({ container, style, interactive: false, attributionControl: false, fadeDuration: 0 });

function move(map: MapLibre, { x, y, zoom, width, height }: Camera): void {
  const { clientWidth, clientHeight } = map.getCanvas();
  if (clientWidth !== width || clientHeight !== height) map.resize();
  map.jumpTo({ center: degrees([x, y]), zoom });
}

async function load(city: CityProperties): Promise<Style> {
  if (city.basemap_tiles) await registerPMTiles();
  return city.basemap ? fetchStyle(city.basemap) : ownStyle(city.basemap_tiles);
}

// registerPMTiles lets MapLibre read tiles out of a PMTiles file.
async function registerPMTiles(): Promise<void> {
  const { Protocol } = await import("pmtiles");
  maplibregl.addProtocol("pmtiles", new Protocol({ metadata: true }).tile); // the attribution is in the metadata
}

async function fetchStyle(address: string): Promise<Style> {
  const response = await fetch(address, { credentials: "omit" });
  if (!response.ok) throw new Error(`${response.status}`);
  const style = (await response.json()) as StyleSpecification;
  if (style.version !== 8) throw new Error(`version ${style.version}`);
  return () => style;
}

const day = { earth: "#f1f2ee", green: "#dfe9d9", water: "#c3d9e6", road: "#ffffff", edge: "#d4d8d2", rail: "#cfd3cd" };
const night = { earth: "#222b2a", green: "#25332c", water: "#16303b", road: "#3a4644", edge: "#2c3735", rail: "#313c3a" };

const greens = [
  "park",
  "forest",
  "wood",
  "grass",
  "grassland",
  "meadow",
  "cemetery",
  "nature_reserve",
  "national_park",
  "golf_course",
  "allotments",
  "scrub",
];

function ownStyle(tiles: string): Style {
  const source: Source = { type: "vector", url: `pmtiles://${location.origin}${tiles}` };
  return (dark) => {
    const c = dark ? night : day;
    const of = (layer: string) => ({ source: "city", "source-layer": layer });
    const kinds = (...list: string[]) => ["in", ["get", "kind"], ["literal", list]] as never;
    const width = (from: number, to: number) => ["interpolate", ["exponential", 1.6], ["zoom"], 8, from, 16, to] as never;
    return {
      version: 8,
      sources: { city: source },
      layers: [
        { id: "earth", type: "fill", ...of("earth"), paint: { "fill-color": c.earth } },
        { id: "green", type: "fill", ...of("landuse"), filter: kinds(...greens), paint: { "fill-color": c.green } },
        { id: "water", type: "fill", ...of("water"), filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": c.water } },
        {
          id: "river",
          type: "line",
          ...of("water"),
          filter: ["==", ["geometry-type"], "LineString"],
          paint: { "line-color": c.water, "line-width": width(0.5, 3) },
        },
        { id: "rail", type: "line", ...of("roads"), filter: kinds("rail"), paint: { "line-color": c.rail, "line-width": width(0.5, 2) } },
        {
          id: "paths",
          type: "line",
          ...of("roads"),
          filter: kinds("minor_road", "path"),
          minzoom: 12,
          paint: { "line-color": c.road, "line-width": width(0.2, 8) },
        },
        {
          id: "roads-edge",
          type: "line",
          ...of("roads"),
          filter: kinds("highway", "major_road"),
          paint: { "line-color": c.edge, "line-width": width(1.4, 17) },
        },
        {
          id: "roads",
          type: "line",
          ...of("roads"),
          filter: kinds("highway", "major_road"),
          paint: { "line-color": c.road, "line-width": width(0.7, 14) },
        },
      ],
    };
  };
}
