// Choosing a place: on a map, by coordinates as map programs show them, or from a district. What will be public of it, its 100 m
// cell, is asked of the server and shown at once.
import maplibregl, { type GeoJSONSource, type Map as MapLibre } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import type { Feature, FeatureCollection, MultiPolygon, Polygon } from "geojson";
import type { City } from "../api";
import { ask, words } from "../client";
import { h } from "../dom";
import { number, t } from "../language";
import { button, field, list } from "../parts";

export interface Place {
  lon: number;
  lat: number;
}

type Cell = Feature<Polygon, { cell: string; lon: number; lat: number; within: boolean }>;
type Districts = FeatureCollection<MultiPolygon, { name: string }>;

const near = 14; // zoom at which a house can be told from the next

// read understands "50.94, 6.96": latitude first, as map programs give it, with decimal points or commas.
export function read(text: string): Place | null {
  const parts = /^\s*(-?\d{1,3}(?:[.,]\d+)?)\s*°?\s*[NS]?\s*(?:[;,\s])\s*(-?\d{1,3}(?:[.,]\d+)?)\s*°?\s*[EOW]?\s*$/i.exec(text);
  const [lat, lon] = (parts?.slice(1) ?? []).map((p) => Number(p.replace(",", ".")));
  return lat === undefined || lon === undefined ? null : { lon, lat };
}

const written = (p: Place): string => `${p.lat.toFixed(5)}, ${p.lon.toFixed(5)}`;

// placePicker is the control; chosen hears of a place that the server takes, and of null while there is none.
export function placePicker(city: City, start: Place | null, chosen: (p: Place | null) => void): HTMLElement {
  const said = h("p", { class: "said", role: "status" });
  const coordinates = h("input", { type: "text", inputmode: "text", autocomplete: "off", value: start ? written(start) : "", placeholder: "50.94130, 6.95830" });
  const canvas = h("div", { class: "place-map" });
  const districts = h("div", {});
  let asked = 0;

  const tell = (text: string, kind: "" | "fine" | "trouble"): void => {
    said.textContent = text;
    said.className = `said ${kind}`;
  };
  const choose = async (p: Place): Promise<void> => {
    const turn = ++asked;
    coordinates.value = written(p);
    chosen(null);
    try {
      const cell = await ask<Cell>("POST", "/api/v1/cell", p);
      if (turn !== asked) return;
      view?.show(p, cell);
      chosen(p);
      tell(t(cell.properties.within ? "place.public" : "place.outside", { cell: cell.properties.cell, lat: number(cell.properties.lat, 4), lon: number(cell.properties.lon, 4) }), "fine");
    } catch (e) {
      if (turn !== asked) return;
      view?.show(p, null);
      tell(words(e), "trouble");
    }
  };
  coordinates.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault(); // it shows the place; it does not send the form
    coordinates.dispatchEvent(new Event("change"));
  });
  coordinates.addEventListener("change", () => {
    const p = read(coordinates.value);
    if (p) void choose(p).then(() => view?.look(p));
    else {
      asked++;
      chosen(null);
      tell(coordinates.value.trim() ? t("place.unreadable") : "", coordinates.value.trim() ? "trouble" : "");
    }
  });

  let view: View | null = null;
  try {
    view = map(canvas, city, (p) => void choose(p));
  } catch {
    canvas.replaceChildren(h("p", { class: "hint" }, t("place.noMap")));
  }
  const offer = (found: Districts): void => {
    view?.districts(found);
    const names = found.features.map((f) => f.properties.name);
    const go = (name: string) => {
      const district = found.features.find((f) => f.properties.name === name);
      if (district) view?.look(middle(district.geometry), 12.5);
    };
    districts.replaceChildren(field(t("place.district"), list([["", t("place.anywhere")], ...names.map((n) => [n, n] as const)], "", go), t("place.districtHint")));
  };
  // Without them the map and the coordinates are still there.
  if (city.properties.districts > 0) void ask<Districts>("GET", "/api/v1/districts").then(offer, () => {});
  if (start) void choose(start).then(() => view?.look(start));
  return h(
    "div",
    { class: "place" },
    h("div", { class: "place-how" }, districts, field(t("place.coordinates"), coordinates, t("place.coordinatesHint")), said),
    h("div", { class: "place-stage" }, canvas, h("p", { class: "row" }, button(t("place.here"), () => view && void choose(view.centre()), true), h("span", { class: "quiet" }, t("place.tap")))),
  );
}

function middle(area: MultiPolygon): Place {
  const bounds = new maplibregl.LngLatBounds();
  for (const polygon of area.coordinates) for (const p of polygon[0] ?? []) bounds.extend([p[0] ?? 0, p[1] ?? 0]);
  return { lon: bounds.getCenter().lng, lat: bounds.getCenter().lat };
}

interface View {
  look(p: Place, zoom?: number): void;
  show(p: Place, cell: Cell | null): void;
  districts(d: Districts): void;
  centre(): Place;
}

const nothing: FeatureCollection = { type: "FeatureCollection", features: [] };

// map is a map of the city that hears of taps. The middle is marked, so that arrow keys and a button do what a finger does.
function map(container: HTMLElement, city: City, tapped: (p: Place) => void): View {
  const bounds = new maplibregl.LngLatBounds();
  for (const polygon of city.geometry.coordinates) for (const p of polygon[0] ?? []) bounds.extend([p[0] ?? 0, p[1] ?? 0]);
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const map = new maplibregl.Map({
    container,
    bounds,
    fitBoundsOptions: { padding: 16 },
    style: { version: 8, sources: {}, layers: [{ id: "land", type: "background", paint: { "background-color": colour("ground") } }] },
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    locale: { "NavigationControl.ZoomIn": t("place.zoomIn"), "NavigationControl.ZoomOut": t("place.zoomOut"), "Map.Title": t("place.map") },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 100 }), "bottom-right");
  container.append(h("span", { class: "cross", "aria-hidden": "true" }));
  const loaded = new Promise<void>((done) => map.once("load", () => done()));
  void loaded.then(() => layers(map, city, colour));
  let settled = false; // a person moved it, or a place is looked at; until then the city stays in the frame
  map.on("movestart", (e) => (settled ||= e.originalEvent !== undefined));
  map.on("resize", () => settled || map.fitBounds(bounds, { padding: 16, animate: false }));
  new ResizeObserver(() => map.resize()).observe(container); // MapLibre leaves out the first size, which it has when it comes onto the page
  map.on("click", (e) => tapped({ lon: e.lngLat.lng, lat: e.lngLat.lat }));
  const set = (source: string, data: FeatureCollection | Feature) => void loaded.then(() => map.getSource<GeoJSONSource>(source)?.setData(data));
  return {
    look(p, zoom = near) {
      settled = true;
      map.jumpTo({ center: [p.lon, p.lat], zoom: map.getZoom() > zoom + 3 ? map.getZoom() : zoom });
    },
    show(p, cell) {
      set("point", { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [p.lon, p.lat] } });
      set("cell", cell ?? nothing);
    },
    districts: (d) => set("districts", d),
    centre: () => ({ lon: map.getCenter().lng, lat: map.getCenter().lat }),
  };
}

function layers(map: MapLibre, city: City, colour: (name: string) => string): void {
  map.addSource("city", { type: "geojson", data: city });
  for (const source of ["districts", "cell", "point"]) map.addSource(source, { type: "geojson", data: nothing });
  map.addLayer({ id: "city", type: "fill", source: "city", paint: { "fill-color": colour("paper") } });
  map.addLayer({ id: "districts", type: "line", source: "districts", paint: { "line-color": colour("line"), "line-width": 1 } });
  map.addLayer({ id: "city-line", type: "line", source: "city", paint: { "line-color": colour("field"), "line-width": 1.5 } });
  map.addLayer({ id: "cell", type: "fill", source: "cell", paint: { "fill-color": colour("accent"), "fill-opacity": 0.25 } });
  map.addLayer({ id: "cell-line", type: "line", source: "cell", paint: { "line-color": colour("accent"), "line-width": 2 } });
  map.addLayer({ id: "point", type: "circle", source: "point", paint: { "circle-radius": 5, "circle-color": colour("accent"), "circle-stroke-width": 2, "circle-stroke-color": colour("paper") } });
}
