// Choosing a place: on a map, by coordinates, or by the name of a place. The server says at once what will be public of it, its 100 m cell.
import type { City, Districts } from "../api";
import { send, ApiError, errorText } from "../client";
import { h } from "../dom";
import { number, t } from "../language";
import { button, field } from "../parts";
import { centreOf } from "../map/geometry";
import type { Name } from "../map/names";
import { findPlaces, places } from "../map/surroundings";
import { PlaceMap, type Cell, type Place } from "./placemap";

export type { Place };

// parsePlace reads "50.94, 6.96": latitude first, as map programs show it, with decimal points or commas.
export function parsePlace(text: string): Place | null {
  const parts = /^\s*(-?\d{1,3}(?:[.,]\d+)?)\s*°?\s*[NS]?\s*(?:[;,\s])\s*(-?\d{1,3}(?:[.,]\d+)?)\s*°?\s*[EOW]?\s*$/i.exec(text);
  const [lat, lon] = (parts?.slice(1) ?? []).map((p) => Number(p.replace(",", ".")));
  return lat === undefined || lon === undefined ? null : { lon, lat };
}

const formatPlace = (p: Place): string => `${p.lat.toFixed(5)}, ${p.lon.toFixed(5)}`;

let pressed: Promise<void> = Promise.resolve(); // until no button of the mouse and no finger is down
addEventListener(
  "pointerdown",
  () =>
    (pressed = new Promise((done) => {
      const up = () => setTimeout(done); // after the click
      addEventListener("pointerup", up, { once: true });
      addEventListener("pointercancel", up, { once: true });
    })),
  true,
);

// released waits until a click that has begun is over. What is shown after an answer moves what stands below it, and a button that moves
// between pressing and releasing is not clicked.
const released = (): Promise<void> => pressed;

// placePicker makes the control. It calls chosen with a place that the server accepts, and with null while there is none, together
// with the request that checks the place. Without a place to start with, the map shows what is around another, or the whole city.
export function placePicker(
  city: City,
  start: Place | null,
  chosen: (p: Place | null, asking?: Promise<void>) => void,
  around: Place | null = null,
): HTMLElement {
  const status = h("p", { class: "said", role: "status" });
  const coordinates = h("input", {
    type: "text",
    inputmode: "text",
    autocomplete: "off",
    value: start ? formatPlace(start) : "",
    placeholder: "50.94130, 6.95830",
  });
  const search = h("input", { type: "search", autocomplete: "off", list: "place-names" });
  const names = h("datalist", { id: "place-names" });
  const canvas = h("div", { class: "place-map" });
  let requests = 0;
  let checked = ""; // the last text that was checked; leaving the field does not check it again

  const setStatus = (text: string, kind: "" | "fine" | "trouble", suggested?: Place): void => {
    const useSuggestion = () => {
      coordinates.focus(); // because the button is removed
      if (suggested) void setPlace(suggested).then(() => view.look(suggested));
    };
    status.replaceChildren(
      text,
      ...(suggested
        ? [" ", h("button", { type: "button", class: "link", click: useSuggestion }, t("place.meant", { place: formatPlace(suggested) }))]
        : []),
    );
    status.className = `said ${kind}`;
  };
  const setPlace = (p: Place): Promise<void> => {
    const asking = check(p, ++requests);
    chosen(null, asking);
    return asking;
  };
  const check = async (p: Place, request: number): Promise<void> => {
    coordinates.value = checked = formatPlace(p);
    try {
      const cell = await send<Cell>("POST", "/api/v1/cell", p);
      await released();
      if (request !== requests) return;
      view.show(p, cell);
      chosen(p);
      setStatus(
        t(cell.properties.within ? "place.public" : "place.outside", {
          cell: cell.properties.cell,
          lat: number(cell.properties.lat, 4),
          lon: number(cell.properties.lon, 4),
        }),
        "fine",
      );
    } catch (e) {
      await released();
      if (request !== requests) return;
      view.show(p, null);
      if (!(e instanceof ApiError)) checked = "";
      setStatus(errorText(e), "trouble", e instanceof ApiError ? e.problem.place : undefined);
    }
  };
  coordinates.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault(); // Enter shows the place and does not send the form
    coordinates.dispatchEvent(new Event("change"));
  });
  coordinates.addEventListener("change", () => {
    if (coordinates.value === checked) return;
    checked = "";
    const p = parsePlace(coordinates.value);
    if (p) void setPlace(p).then(() => view.look(p));
    else {
      requests++;
      chosen(null);
      setStatus(coordinates.value.trim() ? t("place.unreadable") : "", coordinates.value.trim() ? "trouble" : "");
    }
  });

  const view = new PlaceMap(
    canvas,
    city,
    (p) => void setPlace(p),
    () => setStatus(t("place.closer"), ""),
  );
  search.addEventListener("input", () => void lookFor(false));
  search.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault(); // Enter searches and does not send the form
    void lookFor(true);
  });
  search.addEventListener("change", () => search.value !== looked && void lookFor(true)); // leaving the field does not look again
  // lookFor offers places of a name and moves the map to the one that was chosen; the first one when a person has finished.
  let looked = ""; // the last name for which the map was moved
  const lookFor = async (finished: boolean): Promise<void> => {
    const parts = districts.map(({ geometry, properties: { name } }): Name => ({ name, ...centreOf(geometry), people: 0 }));
    const all = await places();
    const found = findPlaces([...all, ...parts.filter((d) => !all.some((p) => p.name === d.name))], search.value);
    names.replaceChildren(...found.map((p) => h("option", { value: p.name })));
    const place = found.find((p) => p.name === search.value) ?? (finished ? found[0] : undefined);
    if (place || finished) looked = search.value;
    if (place) view.lookAround(place);
    if (place) setStatus(t("place.found", { place: place.name }), "");
    else if (finished && search.value.trim()) setStatus(t("place.notFound"), "trouble");
  };
  let districts: Districts["features"] = [];
  const setDistricts = (found: Districts): void => {
    districts = found.features;
    view.districts(found);
  };
  // Without districts there are still the map and the coordinates.
  if (city.properties.districts > 0) void send<Districts>("GET", "/api/v1/districts").then(setDistricts, () => {});
  if (start) void setPlace(start).then(() => view.look(start));
  else if (around) view.lookAround(around);
  return h(
    "div",
    { class: "place" },
    h("div", { class: "place-how" }, field(t("place.search"), search, t("place.searchHint")), names),
    h(
      "div",
      { class: "place-stage" },
      canvas,
      status,
      h(
        "p",
        { class: "row" },
        button(t("place.here"), () => view.take(), true),
        h("span", { class: "quiet" }, t("place.tap")),
      ),
    ),
    h("div", { class: "place-where" }, field(t("place.coordinates"), coordinates, t("place.coordinatesHint"))),
  );
}
