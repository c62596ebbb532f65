// The map for choosing a place. Its centre is marked, so that a place can be chosen with arrow keys and a button as well.
import type { MultiPolygon } from "geojson";
import type { LayerSpecification } from "maplibre-gl";
import type { City, Districts, GeoJSONAnswer } from "../api";
import { h } from "../dom";
import { t } from "../language";
import { createCityMap, centreOf, emptyCollection } from "../map/citymap";
import type { Theme } from "../map/theme";
import type { Point as Place } from "../map/arrowkeys";

export type { Place };

// Cell is the public cell of a place.
export type Cell = GeoJSONAnswer<"getPublicCell">;

export interface PlaceMap {
  look(p: Place, zoom?: number): void;
  lookAt(district: MultiPolygon): void;
  show(p: Place, cell: Cell | null): void;
  districts(d: Districts): void;
  centre(): Place;
}

const placeZoom = 14; // zoom at which houses can be told apart
const districtZoom = 12.5; // zoom at which a district is on the map

export function createPlaceMap(container: HTMLElement, city: City, clicked: (p: Place) => void): PlaceMap {
  const { map, set, ...base } = createCityMap(container, {
    sources: ["districts", "cell", "point"],
    areaLayers,
    markLayers,
  });
  base.city(city);
  base.setLabels(t("place.map"), t("map.keysMove"));
  container.append(h("span", { class: "cross", "aria-hidden": "true" }));
  map.on("click", (e) => clicked({ lon: e.lngLat.lng, lat: e.lngLat.lat }));
  const look = (p: Place, zoom = placeZoom): void => base.moveTo({ ...p, zoom: map.getZoom() > zoom + 3 ? map.getZoom() : zoom });
  return {
    look,
    lookAt: (district) => look(centreOf(district), districtZoom),
    show(p, cell) {
      set("point", { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [p.lon, p.lat] } });
      set("cell", cell ?? emptyCollection);
    },
    districts: (d) => set("districts", d),
    centre: () => ({ lon: map.getCenter().lng, lat: map.getCenter().lat }),
  };
}

const areaLayers = (c: Theme): LayerSpecification[] => [
  { id: "districts", type: "line", source: "districts", paint: { "line-color": c.edge, "line-width": 1, "line-opacity": 0.5 } },
];

const markLayers = (c: Theme): LayerSpecification[] => [
  { id: "cell", type: "fill", source: "cell", paint: { "fill-color": c.accent, "fill-opacity": 0.25 } },
  { id: "cell-line", type: "line", source: "cell", paint: { "line-color": c.accent, "line-width": 2 } },
  {
    id: "point",
    type: "circle",
    source: "point",
    paint: { "circle-radius": 5, "circle-color": c.accent, "circle-stroke-width": 2, "circle-stroke-color": c.halo },
  },
];
