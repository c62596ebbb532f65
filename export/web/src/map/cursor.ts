// The cursor of who uses the map by keyboard.
import type { Map as MapLibre } from "maplibre-gl";
import { h } from "../dom";
import { t } from "../language";
import type { Chosen } from "./view";
import { middleOf, nothing, type Ground } from "./citymap";
import { arrows, nearest, next, type Point } from "./arrowkeys";

// Target is an area that the cursor can stand on.
export interface Target extends Point {
  chosen: Chosen;
  geometry: GeoJSON.Polygon | GeoJSON.MultiPolygon;
}

export const target = (kind: Chosen["kind"], id: string, geometry: Target["geometry"]): Target => ({
  chosen: { kind, id },
  geometry,
  ...middleOf(geometry),
});

export interface Cursor {
  offer(kind: Chosen["kind"], list: Target[]): void; // the areas of a kind that are on the map now
  stand(chosen: Chosen | null): void; // beside what a card is open for
}

// walk lets arrow keys lead a cursor from area to area while the map has the focus; Enter chooses the one it stands on. What
// it stands on is said, and the map moves with it. Where there are no areas, the arrow keys move the map.
export function walk(
  container: HTMLElement,
  { map, set }: Ground,
  choose: (area: Chosen) => void,
  words: (area: Chosen) => string,
): Cursor {
  const offered: Partial<Record<Chosen["kind"], Target[]>> = {};
  const said = h("p", { class: "map-said", role: "status" });
  const canvas = map.getCanvas();
  let at: Target | null = null;
  let marked: Chosen | null = null;
  container.append(said);
  canvas.setAttribute("role", "application"); // screen readers leave the arrow keys to it

  const all = (): Target[] => [...(offered.cell ?? []), ...(offered.district ?? [])];
  const find = (list: Target[], chosen: Chosen | null) =>
    list.find((a) => a.chosen.kind === chosen?.kind && a.chosen.id === chosen.id) ?? null;
  const show = () =>
    set("cursor", at && document.activeElement === canvas ? { type: "Feature", properties: {}, geometry: at.geometry } : nothing);
  const step = (list: Target[], key: string): void => {
    const { lng, lat } = map.getCenter();
    const from = at ?? find(list, marked);
    const to = from ? next(list, from, key) : nearest(list, { lon: lng, lat });
    said.textContent = to ? words(to.chosen) : t("map.noFurther");
    if (!to) return;
    at = to;
    show();
    if (!within(map, at)) map.easeTo({ center: [at.lon, at.lat], duration: 300 }, { originalEvent: true });
  };
  canvas.addEventListener("keydown", (e) => {
    const list = all();
    if (list.length === 0 || e.shiftKey || e.altKey || e.ctrlKey || e.metaKey) return;
    if (e.key in arrows) step(list, e.key);
    else if (e.key === "Enter" && at) choose(at.chosen);
    else return;
    e.preventDefault();
    e.stopPropagation(); // MapLibre would move the map
  });
  canvas.addEventListener("focus", show);
  canvas.addEventListener("blur", show);
  return {
    offer(kind: Chosen["kind"], list: Target[]): void {
      offered[kind] = list;
      if (!at || find(all(), at.chosen)) return;
      at = null; // it is not there any more
      said.textContent = "";
      show();
    },
    stand(chosen: Chosen | null): void {
      marked = chosen;
      at = find(all(), chosen) ?? at;
    },
  };
}

// within reports whether an area's middle is well on the map.
function within(map: MapLibre, { lon, lat }: Target): boolean {
  const edge = 40; // pixels
  const { x, y } = map.project([lon, lat]);
  const { clientWidth, clientHeight } = map.getCanvas();
  return x > edge && y > edge && x < clientWidth - edge && y < clientHeight - edge;
}
