// An embedded map: areas, stations and a legend of one line.
import * as api from "../api";
import { update, h, swatch } from "../dom";
import { name, t } from "../language";
import { AirMap } from "../map/airmap";
import type { View } from "../map/view";
import { headlineIndex, steps } from "../map/colours";
import { bounds } from "../map/legend";
import { areaText, indexText, findQuantity } from "../map/text";
import { footer } from "./footer";

const refreshEvery = 60_000; // milliseconds

export function show(body: HTMLElement, city: api.City, view: View): void {
  const legend = h("ul", { class: "line" });
  const place = h("div", { class: "map" });
  body.classList.add("whole");
  body.replaceChildren(h("h1", {}, `${city.properties.name}: ${name(view.quantity)}`), place, legend, footer(city));
  let [grid, districts]: [api.Grid | null, api.Districts | null] = [null, null];
  const map = new AirMap(place, {
    choose: (chosen) => chosen && openCard(chosen.kind, chosen.id, view),
    describe: (area) => (area.kind === "station" ? t("map.station", { id: area.id }) : areaText(area, { grid, districts, city, view })),
  });
  map.setLabel(t("map.map"));
  map.city(city);
  if (view.place) map.moveTo(view.place);
  const load = async (): Promise<void> => {
    const older = view.time && view.window !== "live" ? await api.cityAt(view) : city;
    const answer = await Promise.all([
      view.layer === "grid" ? api.grid(view) : null,
      view.layer === "districts" ? api.districts(view) : null,
      view.stations ? api.places(api.endOf(view, older.properties)) : null,
    ]);
    const stations = answer[2];
    [grid, districts] = answer;
    const means =
      grid?.features.map((f) => f.properties.mean) ??
      districts?.features.flatMap((f) => findQuantity(f.properties.quantities, view.quantity)?.mean ?? []) ??
      [];
    const scale = steps({ ...view, index: headlineIndex(city) }, means);
    if (grid) map.grid(grid, scale);
    if (districts) map.districts(districts, view.quantity, scale);
    if (stations) map.stations(stations, true);
    update(
      legend,
      ...scale.map((s) => h("li", {}, swatch(s.colour), s.class ? indexText(s.class.index, s.class.number) : bounds(s, scale))),
    );
  };
  const refresh = (): void => void load().catch(() => {}); // when it fails, the last values stay
  refresh();
  setInterval(refresh, refreshEvery);
}

// openCard opens the city's own map with what was chosen.
function openCard(kind: string, id: string, view: View): void {
  window.open(`/?quantity=${encodeURIComponent(view.quantity)}&${kind}=${encodeURIComponent(id)}`, "_blank", "noopener");
}
