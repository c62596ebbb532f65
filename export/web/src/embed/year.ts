// An embedded look back.
import * as api from "../api";
import { h } from "../dom";
import { t } from "../language";
import type { Place } from "../lookback/days";
import { fill } from "../lookback/panel";
import { places } from "../map/surroundings";
import { cellName } from "../map/text";
import "../parts.css";
import { footer } from "./footer";

export async function show(body: HTMLElement, city: api.City, place: Place, quantity: string, more: string): Promise<void> {
  const content = h("div", { class: "stack" });
  const heading = h("h1", {}, t("lookback.open"));
  body.classList.add("whole-year");
  body.replaceChildren(heading, content, footer(city, more));
  void titleOf(place, city).then((title) => (heading.textContent = `${t("lookback.open")}: ${title}`));
  await fill(content, { place, title: "", quantity }, city.properties.zone);
}

async function titleOf({ kind, id }: Place, city: api.City): Promise<string> {
  if (kind === "city") return city.properties.name;
  if (kind === "cell") return places().then(() => cellName(id));
  if (kind === "station")
    return api.station(id).then(
      (s) => s.properties.name,
      () => id,
    );
  return id;
}
