// The card with what was chosen on the map; each function makes one kind of it.
import {
  districtsRoute,
  gridRoute,
  type CellAnswer,
  type CellProperties,
  type Choice,
  type DistrictProperties,
  type Deviation,
  type Index,
  type StationProperties,
} from "../api";
import { h } from "../dom";
import { snippet } from "../embed/snippet";
import { amount, clock, digitsOf, flagText, name, number, percent, t } from "../language";
import { facts } from "../parts";
import type { Step } from "./colours";
import { plot } from "./plot";
import {
  areaCertaintyText,
  bigValue,
  certaintyText,
  indexRows,
  findQuantity,
  windowPeriod,
  metres,
  stationIcon,
  stateText,
  typicalText,
} from "./text";
import { markOf } from "./symbol";

// CardContext is what every card needs.
export interface CardContext {
  choice: Choice;
  zone: string;
  legend: readonly Step[];
  index: Index; // that the city shows
  deviation: Deviation | undefined; // of the quantity from official instruments
}

// note makes a card that says why there is nothing to show.
export const note = (words: string): HTMLElement => h("div", {}, h("p", { class: "quiet" }, words));

// empty makes the card of a cell without a value over the window; it may have had some before.
export function empty(more: CellAnswer | null, { zone }: CardContext): HTMLElement {
  return h("div", {}, h("p", { class: "quiet" }, t("map.noCityMean")), more ? plot(more.trend, zone) : null);
}

export function cell(c: CellProperties, more: CellAnswer | null, { choice, zone, legend, index, deviation }: CardContext): HTMLElement {
  const value = (v: number) => amount(v, c.quantity, c.unit);
  const rows: [string, string | Node][] = [
    [t("map.stations"), String(c.stations)],
    [t("map.certainty"), certaintyText(c.certainty)],
  ];
  if (deviation) rows.push([t("comparison.uncertainty"), typicalText(deviation)]);
  if (c.stations > 1) rows.push([t("map.spread"), `± ${value(c.spread)}`], [t("map.range"), rangeText(c.min, c.max, c.quantity, c.unit)]);
  if (c.raw_mean !== c.mean) rows.push([t("map.raw"), value(c.raw_mean)]);
  if (c.uncorrected > 0 && c.quantity.startsWith("pm")) rows.push([t("map.uncorrected"), String(c.uncorrected)]);
  rows.push([t("map.coverage"), percent(c.coverage)], [t("map.readings"), number(c.readings, 0)], [t("map.since"), windowPeriod(c, zone)]);
  if (c.revision > 0 && choice.window !== "live") rows.push([t("map.revision"), number(c.revision, 0)]);
  return h(
    "div",
    {},
    bigValue(c.mean, c.quantity, c.unit, legend),
    h("p", { class: "label" }, `${name(c.quantity)}, ${t("map.mean")}`),
    c.stations === 1 ? h("p", { class: "hint" }, t("map.oneStation")) : null,
    more ? facts(indexRows(more.index, index)) : null,
    more ? plot(more.trend, zone) : null,
    facts(rows),
    downloads(t("series.allCells", { size: metres(choice.resolution) }), (format) => gridRoute(choice, format)),
    h("p", { class: "quiet code" }, c.cell),
    snippet(`cell/${c.cell}`, choice.quantity),
  );
}

export function district(d: DistrictProperties, { choice, zone, legend, index, deviation }: CardContext): HTMLElement {
  const q = findQuantity(d.quantities, choice.quantity);
  return h(
    "div",
    {},
    q ? bigValue(q.mean, q.quantity, q.unit, legend) : h("p", { class: "quiet" }, t("map.noCells")),
    h("p", { class: "label" }, `${name(choice.quantity)}, ${t("map.mean")}`),
    q?.stations === 1 ? h("p", { class: "hint" }, t("map.oneStation")) : null,
    facts([
      ...indexRows(d.index, index),
      ...(q
        ? ([
            [t("map.stations"), String(q.stations)],
            [t("map.certainty"), areaCertaintyText(q.certainty)],
            ...(deviation ? [[t("comparison.uncertainty"), typicalText(deviation)]] : []),
            [t("map.cellRange"), rangeText(q.min, q.max, q.quantity, q.unit)],
            [t("map.share"), t("map.shareOf", { cells: String(q.cells), all: String(q.all_cells), share: percent(q.share) })],
          ] as [string, string][])
        : []),
      [t("map.since"), windowPeriod(d, zone)],
    ]),
    downloads(t("series.allDistricts"), (format) => districtsRoute(choice, format)),
    snippet(`district/${encodeURIComponent(d.name)}`, choice.quantity),
  );
}

export function station(id: string, s: StationProperties, { choice, zone, deviation }: CardContext): HTMLElement {
  const values = Object.entries(s.values).map(([quantity, v]): [string, string | Node] => [
    name(quantity),
    h(
      "span",
      {},
      amount(v.value, quantity, v.unit),
      v.flags.length ? h("span", { class: "hint" }, ` ${t("map.flagged", { flags: flagText(v.flags) })}`) : null,
    ),
  ]);
  return h(
    "div",
    {},
    h("p", { class: "label" }, s.name, s.demo ? ` · ${t("map.demoStation")}` : ""),
    facts([
      [t("map.state"), h("span", { class: "class" }, stationIcon(markOf(s)), stateText(markOf(s)))],
      ...(s.official
        ? ([[t("comparison.licence"), s.licence]] as [string, string][])
        : deviation
          ? ([[t("comparison.uncertainty"), typicalText(deviation)]] as [string, string][])
          : []),
      [t("map.lastSeen"), s.last_seen ? clock(s.last_seen, zone, true) : t("map.never")],
      [t("map.kit"), s.kit],
      ...values,
    ]),
    s.rare ? h("p", { class: "hint" }, t("map.rare")) : null,
    h("p", {}, h("a", { href: `/stations/${encodeURIComponent(id)}`, "data-key": "station-page" }, t("map.stationPage"))),
    h(
      "p",
      { class: "quiet" },
      `${t("series.lastHour")}: `,
      h("a", { href: `/api/v1/stations/${encodeURIComponent(id)}/readings?format=csv` }, "CSV"),
    ),
    snippet(`station/${id}`, choice.quantity),
  );
}

const rangeText = (low: number, high: number, quantity: string, unit: string): string =>
  `${number(low, digitsOf(quantity))} – ${amount(high, quantity, unit)}`;

// downloads makes links to a table that holds more than the card.
function downloads(holds: string, route: (format: "csv" | "geojson") => string): HTMLElement {
  return h(
    "p",
    { class: "quiet" },
    `${holds}: `,
    h("a", { href: route("csv"), "data-key": "csv" }, "CSV"),
    " ",
    h("a", { href: route("geojson"), "data-key": "geojson" }, "GeoJSON"),
  );
}
