// A cursor for using the map by keyboard.
import { h } from "../dom";
import { t } from "../language";
import { arrowKeys, nearestArea, nextArea, type Point } from "./arrowkeys";
import { noInsets } from "./camera";
import type { CityMap } from "./citymap";
import { centreOf, type Area } from "./geometry";
import type { Chosen } from "./view";

// Target is an area that the cursor can be on.
export interface Target extends Point {
  chosen: Chosen;
  geometry: Area;
}

export const target = (chosen: Chosen, geometry: Area): Target => ({ chosen, geometry, ...centreOf(geometry) });

export interface Cursor {
  setTargets(kind: Chosen["kind"], list: Target[]): void; // the areas of a kind that are on the map now
  moveTo(chosen: Chosen | null): void; // to the area that was chosen
  current(): Target | null; // where it is to be drawn
}

// keyboardCursor lets arrow keys move a cursor from area to area while the map has the focus; Enter chooses the area. Screen
// readers announce it, and the map follows the cursor. Where there are no areas, and with Shift, arrow keys move the map.
export function keyboardCursor(
  container: HTMLElement,
  map: CityMap,
  choose: (area: Chosen) => void,
  describe: (area: Chosen) => string,
): Cursor {
  const targets: Partial<Record<Chosen["kind"], Target[]>> = {};
  const announcement = h("p", { class: "map-said", role: "status" });
  let current: Target | null = null;
  let highlighted: Chosen | null = null;
  container.append(announcement);

  const all = (): Target[] => [...(targets.cell ?? []), ...(targets.district ?? [])];
  const find = (list: Target[], chosen: Chosen | null) =>
    list.find((a) => a.chosen.kind === chosen?.kind && a.chosen.id === chosen.id) ?? null;
  const move = (list: Target[], key: string): void => {
    const from = current ?? find(list, highlighted);
    const to = from ? nextArea(list, from, key) : nearestArea(list, map.view());
    announcement.textContent = to ? describe(to.chosen) : t("map.noFurther");
    if (!to) return;
    current = to;
    map.redraw();
    map.reveal(current, noInsets);
  };
  map.canvas.addEventListener(
    "keydown",
    (e) => {
      const list = all();
      if (list.length === 0 || e.shiftKey || e.altKey || e.ctrlKey || e.metaKey) return;
      if (e.key in arrowKeys) move(list, e.key);
      else if (e.key === "Enter" && current) choose(current.chosen);
      else return;
      e.preventDefault();
      e.stopImmediatePropagation(); // the map would move
    },
    { capture: true },
  );
  map.canvas.addEventListener("focus", () => map.redraw());
  map.canvas.addEventListener("blur", () => map.redraw());
  return {
    setTargets(kind, list) {
      targets[kind] = list;
      if (!current || find(all(), current.chosen)) return;
      current = null; // it is gone
      announcement.textContent = "";
    },
    moveTo(chosen) {
      highlighted = chosen;
      current = find(all(), chosen) ?? current;
    },
    current: () => (document.activeElement === map.canvas ? current : null),
  };
}
