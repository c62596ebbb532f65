// The basemap, where the city has one: a style from another server, or tiles of this server in our own style, which is made for
// the layers of the Protomaps basemap (docs.protomaps.com/basemaps/layers) and has no names.
import maplibregl, { type LayerSpecification, type Map as MapLibre, type StyleSpecification } from "maplibre-gl";
import type { CityProperties } from "../api";
import { h } from "../dom";
import { t } from "../language";
import { darkScheme, lowestLayer, repaint } from "./theme";

type Source = StyleSpecification["sources"][string];

// prefix is put before the names of a basemap's sources and layers, so that they differ from ours.
const prefix = "base/";

// Style returns the parts of a MapLibre style that are drawn; the dark scheme may have others.
type Style = (dark: boolean) => Pick<StyleSpecification, "sources" | "layers" | "glyphs" | "sprite">;

export interface Basemap {
  visible(): boolean; // it is on the map, so that the city's area must not cover it
  setLabels(): void;
}

// addBasemap adds the city's basemap below our layers, and its names above them, and calls changed when it is there. When it cannot
// be loaded, a note on the map says so.
export function addBasemap(map: MapLibre, container: HTMLElement, city: CityProperties, changed: () => void): Basemap {
  const note = h("p", { class: "map-note", role: "status" });
  let style: Style | null = null;
  let failed = false; // since the map was last idle
  const fail = (why: unknown): void => {
    console.warn("basemap:", why);
    failed = true;
    note.textContent = t("map.noBasemap");
  };
  container.append(note);
  map.on("error", (e: { error: Error; sourceId?: string }) =>
    e.sourceId?.startsWith(prefix) ? fail(e.error.message) : console.error(e.error),
  );
  map.on("idle", () => {
    if (style && !failed) note.textContent = "";
    failed = false;
  });
  darkScheme.addEventListener("change", () => style && repaint(map, prefixed(style(darkScheme.matches))));
  load(city)
    .then((loaded) => {
      addLayers(map, loaded(darkScheme.matches));
      style = loaded;
      changed();
    })
    .catch(fail);
  return {
    visible: () => style !== null,
    setLabels() {
      if (note.textContent) note.textContent = t("map.noBasemap");
    },
  };
}

async function load(city: CityProperties): Promise<Style> {
  if (city.basemap_tiles) await registerPMTiles();
  return city.basemap ? fetchStyle(city.basemap) : ownStyle(city.basemap_tiles);
}

function addLayers(map: MapLibre, style: ReturnType<Style>): void {
  const { sources, glyphs, sprite } = style;
  if (glyphs) map.setGlyphs(glyphs);
  if (typeof sprite === "string") map.setSprite(sprite);
  else for (const { id, url } of sprite ?? []) map.addSprite(id, url);
  for (const [name, source] of Object.entries(sources)) map.addSource(prefix + name, source);
  const layers = prefixed(style);
  const names = layers.findIndex((layer) => layer.type === "symbol");
  layers.forEach((layer, i) => map.addLayer(layer, names >= 0 && i >= names ? undefined : lowestLayer));
  map.addControl(new maplibregl.AttributionControl({ compact: false, customAttribution: [] }), "bottom-right");
}

const prefixed = (style: ReturnType<Style>): LayerSpecification[] =>
  style.layers.map(
    (layer) => ({ ...layer, id: prefix + layer.id, ...("source" in layer ? { source: prefix + layer.source } : {}) }) as LayerSpecification,
  );

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
