// What values mean, as text, for the map, its cards and embedded cards.
import type { City, CityQuantity, Certainty, Deviation, Districts, Grid, Index, IndexClass, Indices } from "../api";
import { h, swatch } from "../dom";
import { amount, clock, digitsOf, language, name, number, t, type Key } from "../language";
import type { Chosen } from "./view";
import { headlineIndex, stepOf, type Step } from "./colours";
import { cellCentre, parseCell } from "./laea";
import "./parts.css";
import { placeText } from "./surroundings";
import { symbol, type Mark } from "./symbol";

// indexText returns the name of an index's class.
export const indexText = (index: Index, number: number | null | undefined): string =>
  number ? t(`${index}.class${number}` as Key) : t("eaqi.none");

// shortName returns a quantity's name without what kind of thing it is: PM2.5.
export const shortName = (quantity: string): string => /PM[\d.,]+/.exec(name(quantity))?.[0] ?? name(quantity);

export const stateText = (mark: Mark): string => t(`state.${mark}`);

export const certaintyText = (certainty: Certainty): string =>
  t(({ "single station": "certainty.single", few: "certainty.few", good: "certainty.good" } as const)[certainty]);
// areaCertaintyText is that of a district or the city, which has cells for stations.
export const areaCertaintyText = (certainty: Certainty): string =>
  t(({ "single station": "certainty.single", few: "certainty.fewCells", good: "certainty.goodCells" } as const)[certainty]);

// typicalText returns what the city's values of a quantity are worth beside official instruments: "± 5.0 µg/m³ typically".
export const typicalText = ({ quantity, sd, unit }: Deviation): string => t("comparison.typical", { sd: amount(sd, quantity, unit) });

// besideText returns the same as a sentence.
export function besideText({ quantity, bias, sd, unit, period_days }: Deviation): string {
  const way = Math.abs(bias) < 0.05 ? "equal" : bias < 0 ? "below" : "above";
  return t(`comparison.${way}`, {
    days: String(period_days),
    quantity: shortName(quantity),
    bias: amount(Math.abs(bias), quantity, unit),
    sd: amount(sd, quantity, unit),
  });
}

// classText returns the name of an index's class with the pollutant that decides it, or why there is none.
export function classText(index: IndexClass): string {
  if (index.reason) return t(`eaqi.${index.reason}`);
  const text = language() === "de" ? index.de : index.en;
  return index.pollutant ? t("eaqi.by", { class: text, pollutant: shortName(index.pollutant) }) : text;
}

// indexRows returns both indices as rows of facts, the one that the city shows first. Their names say what they are made of.
export const indexRows = (indices: Indices, first: Index): [string, string][] => {
  const row = (index: IndexClass): [string, string] => [language() === "de" ? index.name_de : index.name_en, classText(index)];
  const rows = [row(indices.eaqi), row(indices.lqi)];
  return first === "lqi" ? rows.reverse() : rows;
};

// bigValue makes a value in large type with its unit and its class; without a legend it has no class.
export function bigValue(mean: number, quantity: string, unit: string, legend: readonly Step[]): HTMLElement {
  const step = stepOf(legend, mean);
  return h(
    "p",
    { class: "big" },
    h("span", { class: "value" }, number(mean, digitsOf(quantity))),
    unit === "1" ? null : h("span", { class: "unit" }, unit),
    step?.class ? h("span", { class: "class" }, swatch(step.colour), indexText(step.class.index, step.class.number)) : null,
  );
}

// stationIcon makes the symbol that a station has on the map.
export const stationIcon = (mark: Mark): HTMLElement =>
  h("img", { src: symbol(mark), width: 28, height: 28, class: "symbol", "data-state": mark, alt: "" });

export const findQuantity = (quantities: readonly CityQuantity[], quantity: string): CityQuantity | undefined =>
  quantities.find((q) => q.quantity === quantity);

// areaText returns the value of a cell or a district as a sentence.
export function areaText({ kind, id }: Chosen, { grid, districts, city, view: { quantity } }: Shown): string {
  const what = kind === "cell" ? cellName(id) : id;
  const area =
    kind === "cell"
      ? grid?.features.find((f) => f.properties.cell === id)?.properties
      : findQuantity(districts?.features.find((f) => f.properties.name === id)?.properties.quantities ?? [], quantity);
  if (!area) return t("map.areaEmpty", { what });
  const index = headlineIndex(city);
  const value = amount(area.mean, area.quantity, area.unit);
  return t("map.areaSays", {
    what,
    value: area[index] ? `${value}, ${indexText(index, area[index])}` : value,
    stations: String(area.stations),
  });
}

// whatText returns a station's name, or the value of an area as a sentence.
export function whatText(what: Chosen, s: Shown & { stationById: Map<string, { name: string }> }): string {
  if (what.kind !== "station") return areaText(what, s);
  return t("map.station", { id: s.stationById.get(what.id)?.name || what.id });
}

// Shown is what is on the map.
export interface Shown {
  grid: Grid | null;
  districts: Districts | null;
  city: City | null;
  view: { quantity: string };
}

// shortCode returns a cell's code as census tables write it, such as 1kmN3096E4107.
export function shortCode(code: string): string {
  const cell = parseCell(code);
  return cell ? `${cell.size < 1000 ? `${cell.size}m` : `${cell.size / 1000}km`}N${cell.north / cell.size}E${cell.east / cell.size}` : code;
}

// cellName returns where a cell is and which it is: "Ehrenfeld, 1 km cell N3096 E4107".
export function cellName(code: string): string {
  const cell = parseCell(code);
  if (!cell) return t("map.cell", { id: code });
  const which = t("map.cellOf", {
    size: metres(cell.size),
    id: `N${cell.north / cell.size} E${cell.east / cell.size}`,
  });
  return [placeText(cellCentre(cell)), which].filter(Boolean).join(", ");
}

export const metres = (m: number): string => (m < 1000 ? `${m}\u00a0m` : `${number(m / 1000, 0)}\u00a0km`);

// windowPeriod returns the start and end of a window in a time zone.
export function windowPeriod(w: { window_start: string; window_seconds: number }, zone: string): string {
  const end = new Date(Date.parse(w.window_start) + w.window_seconds * 1000).toISOString();
  return `${clock(w.window_start, zone)} – ${clock(end, zone)}`;
}
