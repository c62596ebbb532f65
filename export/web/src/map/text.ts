// What values mean, as text, for the map, its cards and embedded cards.
import type { CityQuantity, Certainty, Districts, Grid, IndexClass, Indices, State } from "../api";
import { h, swatch } from "../dom";
import { amount, clock, digitsOf, language, name, number, t, type Key } from "../language";
import type { Chosen } from "./view";
import { colourOf, indexOf, type Step } from "./colours";
import "./parts.css";
import { symbol } from "./symbol";

// indexText returns the name of a class of the European index.
export const indexText = (index: number | null): string => (index ? t(`eaqi.class${index}` as Key) : t("eaqi.none"));

export const stateText = (state: State): string => t(`state.${state}`);

export const certaintyText = (certainty: Certainty): string =>
  t(({ "single station": "certainty.single", few: "certainty.few", good: "certainty.good" } as const)[certainty]);

// classText returns the name of an index's class with the pollutant that decides it.
export function classText(index: IndexClass): string {
  if (index.class === 0) return t("eaqi.none");
  const text = language() === "de" ? index.de : index.en;
  return index.pollutant ? t("eaqi.by", { class: text, pollutant: name(index.pollutant) }) : text;
}

// indexRows returns both indices as rows of facts.
export const indexRows = (index: Indices): [string, string][] => [
  [t("eaqi.european"), classText(index.eaqi)],
  [t("eaqi.german"), classText(index.lqi)],
];

// bigValue makes a value in large type with its unit and its class.
export function bigValue(mean: number, quantity: string, unit: string, legend: readonly Step[]): HTMLElement {
  const index = indexOf(quantity, mean);
  return h(
    "p",
    { class: "big" },
    h("span", { class: "value" }, number(mean, digitsOf(quantity))),
    unit === "1" ? null : h("span", { class: "unit" }, unit),
    index ? h("span", { class: "class" }, swatch(colourOf(legend, mean)), indexText(index)) : null,
  );
}

// stationIcon makes the symbol that a station has on the map.
export const stationIcon = (state: State): HTMLElement =>
  h("img", { src: symbol(state), width: 28, height: 28, class: "symbol", "data-state": state, alt: "" });

export const findQuantity = (quantities: readonly CityQuantity[], quantity: string): CityQuantity | undefined =>
  quantities.find((q) => q.quantity === quantity);

// areaText returns the value of a cell or a district as a sentence.
export function areaText({ kind, id }: Chosen, grid: Grid | null, districts: Districts | null, quantity: string): string {
  const what = kind === "cell" ? t("map.cell", { id: shortCode(id) }) : id;
  const area =
    kind === "cell"
      ? grid?.features.find((f) => f.properties.cell === id)?.properties
      : findQuantity(districts?.features.find((f) => f.properties.name === id)?.properties.quantities ?? [], quantity);
  if (!area) return t("map.areaEmpty", { what });
  return t("map.areaSays", {
    what,
    value: amount(area.mean, area.quantity, area.unit),
    air: indexText(area.eaqi ?? null),
    stations: String(area.stations),
  });
}

// shortCode returns a cell's code as census tables write it, such as 1kmN3096E4107.
export function shortCode(code: string): string {
  const parts = /^CRS3035RES(\d+)mN(\d+)E(\d+)$/.exec(code);
  if (!parts) return code;
  const [size, north, east] = parts.slice(1).map(Number) as [number, number, number];
  return `${size < 1000 ? `${size}m` : `${size / 1000}km`}N${north / size}E${east / size}`;
}

export const metres = (m: number): string => (m < 1000 ? `${m} m` : `${number(m / 1000, 0)} km`);

// windowPeriod returns the start and end of a window in a time zone.
export function windowPeriod(w: { window_start: string; window_seconds: number }, zone: string): string {
  const end = new Date(Date.parse(w.window_start) + w.window_seconds * 1000).toISOString();
  return `${clock(w.window_start, zone)} – ${clock(end, zone)}`;
}
