// Choosing a place: on a map, by coordinates as map programs show them, or from a district. What will be public of it, its 100 m
// cell, is asked of the server and shown at once.
import type { City, Districts } from "../api";
import { ask, Refused, words } from "../client";
import { h } from "../dom";
import { number, t } from "../language";
import { button, field, list } from "../parts";
import { stage, type Cell, type Place, type Stage } from "./placemap";

export type { Place };

// read understands "50.94, 6.96": latitude first, as map programs give it, with decimal points or commas.
export function read(text: string): Place | null {
  const parts = /^\s*(-?\d{1,3}(?:[.,]\d+)?)\s*°?\s*[NS]?\s*(?:[;,\s])\s*(-?\d{1,3}(?:[.,]\d+)?)\s*°?\s*[EOW]?\s*$/i.exec(text);
  const [lat, lon] = (parts?.slice(1) ?? []).map((p) => Number(p.replace(",", ".")));
  return lat === undefined || lon === undefined ? null : { lon, lat };
}

const written = (p: Place): string => `${p.lat.toFixed(5)}, ${p.lon.toFixed(5)}`;

// placePicker is the control; chosen hears of a place that the server takes, and of null while there is none, with the
// server's answer under way where one is.
export function placePicker(city: City, start: Place | null, chosen: (p: Place | null, asking?: Promise<void>) => void): HTMLElement {
  const said = h("p", { class: "said", role: "status" });
  const coordinates = h("input", {
    type: "text",
    inputmode: "text",
    autocomplete: "off",
    value: start ? written(start) : "",
    placeholder: "50.94130, 6.95830",
  });
  const canvas = h("div", { class: "place-map" });
  const districts = h("div", {});
  let asked = 0;
  let checked = ""; // what the server was asked last; leaving the field asks no second time

  const tell = (text: string, kind: "" | "fine" | "trouble", meant?: Place): void => {
    const take = () => {
      coordinates.focus(); // the button goes
      if (meant) void choose(meant).then(() => view?.look(meant));
    };
    said.replaceChildren(
      text,
      ...(meant ? [" ", h("button", { type: "button", class: "link", click: take }, t("place.meant", { place: written(meant) }))] : []),
    );
    said.className = `said ${kind}`;
  };
  const choose = (p: Place): Promise<void> => {
    const asking = check(p, ++asked);
    chosen(null, asking);
    return asking;
  };
  const check = async (p: Place, turn: number): Promise<void> => {
    coordinates.value = checked = written(p);
    try {
      const cell = await ask<Cell>("POST", "/api/v1/cell", p);
      if (turn !== asked) return;
      view?.show(p, cell);
      chosen(p);
      tell(
        t(cell.properties.within ? "place.public" : "place.outside", {
          cell: cell.properties.cell,
          lat: number(cell.properties.lat, 4),
          lon: number(cell.properties.lon, 4),
        }),
        "fine",
      );
    } catch (e) {
      if (turn !== asked) return;
      view?.show(p, null);
      if (!(e instanceof Refused)) checked = "";
      tell(words(e), "trouble", e instanceof Refused ? e.problem.place : undefined);
    }
  };
  coordinates.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault(); // it shows the place; it does not send the form
    coordinates.dispatchEvent(new Event("change"));
  });
  coordinates.addEventListener("change", () => {
    if (coordinates.value === checked) return;
    checked = "";
    const p = read(coordinates.value);
    if (p) void choose(p).then(() => view?.look(p));
    else {
      asked++;
      chosen(null);
      tell(coordinates.value.trim() ? t("place.unreadable") : "", coordinates.value.trim() ? "trouble" : "");
    }
  });

  let view: Stage | null = null;
  try {
    view = stage(canvas, city, (p) => void choose(p));
  } catch {
    canvas.replaceChildren(h("p", { class: "hint" }, t("place.noMap")));
  }
  const offer = (found: Districts): void => {
    view?.districts(found);
    const names = found.features.map((f) => f.properties.name);
    const go = (name: string) => {
      const district = found.features.find((f) => f.properties.name === name);
      if (district) view?.lookAt(district.geometry);
    };
    districts.replaceChildren(
      field(t("place.district"), list([["", t("place.anywhere")], ...names.map((n) => [n, n] as const)], "", go), t("place.districtHint")),
    );
  };
  // Without them the map and the coordinates are still there.
  if (city.properties.districts > 0) void ask<Districts>("GET", "/api/v1/districts").then(offer, () => {});
  if (start) void choose(start).then(() => view?.look(start));
  return h(
    "div",
    { class: "place" },
    h("div", { class: "place-how" }, districts, field(t("place.coordinates"), coordinates, t("place.coordinatesHint")), said),
    h(
      "div",
      { class: "place-stage" },
      canvas,
      h(
        "p",
        { class: "row" },
        button(t("place.here"), () => view && void choose(view.centre()), true),
        h("span", { class: "quiet" }, t("place.tap")),
      ),
    ),
  );
}
