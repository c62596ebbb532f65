// The map on which a place is chosen. Its middle is marked, so that arrow keys and a button do what a finger does.
import type { MultiPolygon } from "geojson";
import type { LayerSpecification } from "maplibre-gl";
import type { City, Districts, GeoJSONAnswer } from "../api";
import { h } from "../dom";
import { t } from "../language";
import { ground, middleOf, nothing } from "../map/citymap";
import type { Ink } from "../map/theme";
import type { Point as Place } from "../map/arrowkeys";

export type { Place };

// Cell is what will be public of a place.
export type Cell = GeoJSONAnswer<"getPublicCell">;

export interface Stage {
  look(p: Place, zoom?: number): void;
  lookAt(district: MultiPolygon): void;
  show(p: Place, cell: Cell | null): void;
  districts(d: Districts): void;
  centre(): Place;
}

const near = 14; // zoom at which a house can be told from the next
const wide = 12.5; // at which a district can be seen

export function stage(container: HTMLElement, city: City, tapped: (p: Place) => void): Stage {
  const { map, set, ...below } = ground(container, { sources: ["districts", "cell", "point"], areas, marks });
  below.city(city);
  below.speak(t("place.map"), t("map.keysMove"));
  container.append(h("span", { class: "cross", "aria-hidden": "true" }));
  map.on("click", (e) => tapped({ lon: e.lngLat.lng, lat: e.lngLat.lat }));
  const look = (p: Place, zoom = near): void => below.look({ ...p, zoom: map.getZoom() > zoom + 3 ? map.getZoom() : zoom });
  return {
    look,
    lookAt: (district) => look(middleOf(district), wide),
    show(p, cell) {
      set("point", { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [p.lon, p.lat] } });
      set("cell", cell ?? nothing);
    },
    districts: (d) => set("districts", d),
    centre: () => ({ lon: map.getCenter().lng, lat: map.getCenter().lat }),
  };
}

const areas = (c: Ink): LayerSpecification[] => [
  { id: "districts", type: "line", source: "districts", paint: { "line-color": c.edge, "line-width": 1, "line-opacity": 0.5 } },
];

const marks = (c: Ink): LayerSpecification[] => [
  { id: "cell", type: "fill", source: "cell", paint: { "fill-color": c.accent, "fill-opacity": 0.25 } },
  { id: "cell-line", type: "line", source: "cell", paint: { "line-color": c.accent, "line-width": 2 } },
  {
    id: "point",
    type: "circle",
    source: "point",
    paint: { "circle-radius": 5, "circle-color": c.accent, "circle-stroke-width": 2, "circle-stroke-color": c.halo },
  },
];
