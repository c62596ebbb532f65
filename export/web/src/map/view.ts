// What the page shows beside the map: figure, legend, card and tables. Each function makes its part anew
// from the state.
import { gridRoute, type CellProperties, type Choice, type City, type Grid, type State, type StationProperties, type Stations } from "../api";
import { indexOf, type Step } from "./colours";
import { h, swatch } from "../dom";
import { amount, clock, digitsOf, flagWords, name, number, percent, t, type Key } from "../language";
import { symbol, type Chosen } from "./canvas";

// indexWords is the class of the index in words.
export const indexWords = (index: number | null): string => (index ? t(`eaqi.class${index}` as Key) : t("eaqi.none"));

export function figure(city: City, choice: Choice, legend: readonly Step[]): HTMLElement {
  const q = city.properties.quantities.find((x) => x.quantity === choice.quantity);
  if (!q) return h("p", { class: "quiet" }, city.properties.last_reading ? t("map.noCityMean") : t("map.noReading"));
  const step = q.eaqi ? legend[q.eaqi - 1] : undefined;
  return h(
    "div",
    {},
    h("p", { class: "label" }, `${t("map.cityMean")}, ${t("map.windowLive")}`),
    h(
      "p",
      { class: "big" },
      h("span", { class: "value" }, number(q.mean, digitsOf(q.quantity))),
      q.unit === "1" ? null : h("span", { class: "unit" }, q.unit),
      step ? h("span", { class: "class" }, swatch(step.colour), indexWords(q.eaqi ?? null)) : null,
    ),
    h("p", { class: "quiet" }, t("map.cityShare", { cells: String(q.cells), all: String(q.all_cells), share: percent(q.share) })),
  );
}

export function legend(steps: readonly Step[], choice: Choice, unit: string): HTMLElement {
  const digits = steps.every((s) => (s.low === null || Number.isInteger(s.low)) && (s.high === null || Number.isInteger(s.high))) ? 0 : 1;
  const bound = (v: number) => number(v, digits);
  const words = (s: Step): string => {
    if (s.low === null && s.high === null) return "";
    if (s.low === null) return t(s.index ? "map.upTo" : "map.below", { high: bound(s.high ?? 0) });
    if (s.high === null) return t(s.index ? "map.over" : "map.from", { low: bound(s.low) });
    return t("map.between", { low: bound(s.low), high: bound(s.high) });
  };
  const indexed = steps[0]?.index != null;
  return h(
    "section",
    { class: "legend", "aria-label": t("map.legend") },
    h("h2", {}, indexed ? t("map.legendIndex", { unit }) : t("map.legendScale", { quantity: name(choice.quantity), unit })),
    h(
      "ul",
      {},
      ...steps.map((s) => h("li", {}, swatch(s.colour), s.index ? h("span", {}, indexWords(s.index)) : null, h("span", { class: "bounds" }, words(s)))),
    ),
    h("p", { class: "quiet" }, swatch("transparent", true), t("map.legendSingle")),
    h("p", { class: "quiet" }, t("map.legendNone")),
    h("ul", { class: "symbols" }, ...(["ok", "silent", "check", "new"] as const).map((s) => h("li", {}, picture(s), stateWords(s)))),
  );
}

function picture(state: State): HTMLElement {
  const canvas = h("canvas", { width: 28, height: 28, class: "symbol", "data-state": state, "aria-hidden": "true" });
  canvas.getContext("2d")?.putImageData(symbol(state), 0, 0);
  return canvas;
}

export function stateWords(state: State): string {
  return t(`state.${state}`);
}

function facts(rows: [string, string | Node][]): HTMLElement {
  return h("dl", { class: "facts" }, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

export function cellCard(c: CellProperties, choice: Choice, zone: string, legend: readonly Step[]): HTMLElement {
  const index = indexOf(c.quantity, c.mean);
  const step = index ? legend[index - 1] : undefined;
  const end = new Date(Date.parse(c.window_start) + c.window_seconds * 1000).toISOString();
  const value = (v: number) => amount(v, c.quantity, c.unit);
  const rows: [string, string | Node][] = [
    [t("map.median"), value(c.median)],
    [t("map.range"), `${number(c.min, digitsOf(c.quantity))} – ${value(c.max)}`],
    [t("map.stations"), String(c.stations)],
    [t("map.readings"), String(c.readings)],
    [t("map.coverage"), percent(c.coverage)],
    [t("map.since"), `${clock(c.window_start, zone)} – ${clock(end, zone)}`],
  ];
  if (step) rows.unshift([t("map.air"), h("span", { class: "class" }, swatch(step.colour), indexWords(index))]);
  if (c.revision > 0) rows.push([t("map.revision"), String(c.revision)]);
  return h(
    "div",
    {},
    h("p", { class: "big" }, h("span", { class: "value" }, number(c.mean, digitsOf(c.quantity))), c.unit === "1" ? null : h("span", { class: "unit" }, c.unit)),
    h("p", { class: "label" }, `${name(c.quantity)}, ${t("map.mean")}`),
    c.stations === 1 ? h("p", { class: "hint" }, t("map.oneStation")) : null,
    facts(rows),
    h(
      "p",
      { class: "quiet" },
      `${t("map.download")}: `,
      h("a", { href: gridRoute(choice, "csv") }, "CSV"),
      " ",
      h("a", { href: gridRoute(choice, "geojson") }, "GeoJSON"),
    ),
    h("p", { class: "quiet code" }, c.cell),
  );
}

export function stationCard(id: string, s: StationProperties, zone: string): HTMLElement {
  const values = Object.entries(s.values).map(([quantity, v]): [string, string | Node] => [
    name(quantity),
    h("span", {}, amount(v.value, quantity, v.unit), v.flags.length ? h("span", { class: "hint" }, ` ${t("map.flagged", { flags: flagWords(v.flags) })}`) : null),
  ]);
  return h(
    "div",
    {},
    h("p", { class: "label" }, s.name, s.demo ? ` · ${t("map.demoStation")}` : ""),
    facts([[t("map.state"), h("span", { class: "class" }, picture(s.state), stateWords(s.state))], [t("map.lastSeen"), s.last_seen ? clock(s.last_seen, zone, true) : t("map.never")], [t("map.kit"), s.kit], ...values]),
    h("p", { class: "quiet" }, `${t("map.download")}: `, h("a", { href: `/api/v1/stations/${encodeURIComponent(id)}/readings?format=csv` }, "CSV")),
    h("p", { class: "quiet code" }, id),
  );
}

export function tables(grid: Grid | null, stations: Stations | null, choice: Choice, zone: string, choose: (c: Chosen) => void): HTMLElement {
  const windowWords = t(choice.window === "live" ? "map.windowLive" : "map.windowHour");
  const open = (kind: Chosen["kind"], id: string) => h("button", { type: "button", class: "link", "data-key": `${kind}/${id}`, click: () => choose({ kind, id }) }, id);
  const cells = (grid?.features ?? []).map((f) => {
    const c = f.properties;
    const corners = f.geometry.coordinates[0] ?? [];
    const middle = [0, 1].map((i) => ((corners[0]?.[i] ?? 0) + (corners[2]?.[i] ?? 0)) / 2);
    return [
      open("cell", c.cell),
      amount(c.mean, c.quantity, c.unit),
      indexWords(c.eaqi),
      String(c.stations),
      percent(c.coverage),
      `${number(middle[1] ?? 0, 3)}, ${number(middle[0] ?? 0, 3)}`,
    ];
  });
  const list = (stations?.features ?? []).map((f) => {
    const v = f.properties.values[choice.quantity];
    return [
      open("station", String(f.id)),
      f.properties.name,
      v ? amount(v.value, choice.quantity, v.unit) : "–",
      stateWords(f.properties.state),
      f.properties.last_seen ? clock(f.properties.last_seen, zone, true) : t("map.never"),
    ];
  });
  return h(
    "div",
    {},
    table(t("map.tableCells", { quantity: name(choice.quantity), window: windowWords }), [t("map.columnCell"), t("map.columnValue"), t("map.air"), t("map.stations"), t("map.coverage"), t("map.columnPlace")], cells, t(grid ? "map.noCells" : "frame.loading")),
    table(t("map.tableStations"), [t("map.columnStation"), "", t("map.columnValue"), t("map.state"), t("map.lastSeen")], list, t("map.noStations")),
  );
}

function table(caption: string, columns: string[], rows: (string | Node)[][], none: string): HTMLElement {
  if (rows.length === 0) return h("p", {}, h("strong", {}, caption), `: ${none}`);
  return h(
    "div",
    { class: "scroll", "data-key": caption, tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...columns.map((c) => (c ? h("th", { scope: "col" }, c) : h("td", {}))))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, i) => (i === 0 ? h("th", { scope: "row" }, cell) : h("td", {}, cell)))))),
    ),
  );
}
