// A cursor for using the map by keyboard.
import type { Map as MapLibre } from "maplibre-gl";
import { h } from "../dom";
import { t } from "../language";
import type { Chosen } from "./view";
import { centreOf, emptyCollection, type CityMap } from "./citymap";
import { arrowKeys, nearestArea, nextArea, type Point } from "./arrowkeys";

// Target is an area that the cursor can be on.
export interface Target extends Point {
  chosen: Chosen;
  geometry: GeoJSON.Polygon | GeoJSON.MultiPolygon;
}

export const target = (kind: Chosen["kind"], id: string, geometry: Target["geometry"]): Target => ({
  chosen: { kind, id },
  geometry,
  ...centreOf(geometry),
});

export interface Cursor {
  setTargets(kind: Chosen["kind"], list: Target[]): void; // the areas of a kind that are on the map now
  moveTo(chosen: Chosen | null): void; // to the area that was chosen
}

// keyboardCursor lets arrow keys move a cursor from area to area while the map has the focus; Enter chooses the area. Screen
// readers announce it, and the map follows the cursor. Where there are no areas, arrow keys move the map.
export function keyboardCursor(
  container: HTMLElement,
  { map, set }: CityMap,
  choose: (area: Chosen) => void,
  describe: (area: Chosen) => string,
): Cursor {
  const targets: Partial<Record<Chosen["kind"], Target[]>> = {};
  const announcement = h("p", { class: "map-said", role: "status" });
  const canvas = map.getCanvas();
  let current: Target | null = null;
  let highlighted: Chosen | null = null;
  container.append(announcement);
  canvas.setAttribute("role", "application"); // so that screen readers pass the arrow keys on

  const all = (): Target[] => [...(targets.cell ?? []), ...(targets.district ?? [])];
  const find = (list: Target[], chosen: Chosen | null) =>
    list.find((a) => a.chosen.kind === chosen?.kind && a.chosen.id === chosen.id) ?? null;
  const draw = () =>
    set(
      "cursor",
      current && document.activeElement === canvas ? { type: "Feature", properties: {}, geometry: current.geometry } : emptyCollection,
    );
  const move = (list: Target[], key: string): void => {
    const { lng, lat } = map.getCenter();
    const from = current ?? find(list, highlighted);
    const to = from ? nextArea(list, from, key) : nearestArea(list, { lon: lng, lat });
    announcement.textContent = to ? describe(to.chosen) : t("map.noFurther");
    if (!to) return;
    current = to;
    draw();
    if (!within(map, current)) map.easeTo({ center: [current.lon, current.lat], duration: 300 }, { originalEvent: true });
  };
  canvas.addEventListener("keydown", (e) => {
    const list = all();
    if (list.length === 0 || e.shiftKey || e.altKey || e.ctrlKey || e.metaKey) return;
    if (e.key in arrowKeys) move(list, e.key);
    else if (e.key === "Enter" && current) choose(current.chosen);
    else return;
    e.preventDefault();
    e.stopPropagation(); // MapLibre would move the map
  });
  canvas.addEventListener("focus", draw);
  canvas.addEventListener("blur", draw);
  return {
    setTargets(kind: Chosen["kind"], list: Target[]): void {
      targets[kind] = list;
      if (!current || find(all(), current.chosen)) return;
      current = null; // it is gone
      announcement.textContent = "";
      draw();
    },
    moveTo(chosen: Chosen | null): void {
      highlighted = chosen;
      current = find(all(), chosen) ?? current;
    },
  };
}

// within reports whether the centre of an area is on the map and not at its edge.
function within(map: MapLibre, { lon, lat }: Target): boolean {
  const edge = 40; // pixels
  const { x, y } = map.project([lon, lat]);
  const { clientWidth, clientHeight } = map.getCanvas();
  return x > edge && y > edge && x < clientWidth - edge && y < clientHeight - edge;
}
