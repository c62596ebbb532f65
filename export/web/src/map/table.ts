// The same values as tables, for screen readers, printers, and who would rather read.
import type { Districts, Grid, Stations } from "../api";
import { h } from "../dom";
import { amount, clock, name, number, percent, t } from "../language";
import type { Chosen, View } from "./choice";
import { certaintyWords, indexWords, of, stateWords } from "./words";

type Row = (string | Node)[];

// Shown is what tables are made of.
export interface Shown {
  view: View;
  when: string; // the window in words
  grid: Grid | null;
  districts: Districts | null;
  stations: Stations | null;
  zone: string;
  choose(chosen: Chosen): void;
}

export function tables(s: Shown): HTMLElement {
  const open = (kind: Chosen["kind"], id: string) => h("button", { type: "button", class: "link", "data-key": `${kind}/${id}`, click: () => s.choose({ kind, id }) }, id);
  return h("div", {}, s.view.layer === "districts" ? districtTable(s, open) : cellTable(s, open), stationTable(s, open));
}

type Open = (kind: Chosen["kind"], id: string) => Node;

function cellTable({ view, when, grid }: Shown, open: Open): HTMLElement {
  const rows = (grid?.features ?? []).map((f) => {
    const c = f.properties;
    const corners = f.geometry.coordinates[0] ?? [];
    const [lon, lat] = [0, 1].map((i) => ((corners[0]?.[i] ?? 0) + (corners[2]?.[i] ?? 0)) / 2);
    return [
      open("cell", c.cell), amount(c.mean, c.quantity, c.unit), indexWords(c.eaqi), String(c.stations), certaintyWords(c.certainty), percent(c.coverage),
      `${number(lat ?? 0, 3)}, ${number(lon ?? 0, 3)}`,
    ];
  });
  const columns = [t("map.columnCell"), t("map.columnValue"), t("map.air"), t("map.stations"), t("map.certainty"), t("map.coverage"), t("map.columnPlace")];
  return table(t("map.tableCells", { quantity: name(view.quantity), window: when }), columns, rows, t(grid ? "map.noCells" : "frame.loading"));
}

function districtTable({ view, when, districts }: Shown, open: Open): HTMLElement {
  const rows = (districts?.features ?? []).map((f) => {
    const q = of(f.properties.quantities, view.quantity);
    return [open("district", f.properties.name), ...(q ? [amount(q.mean, q.quantity, q.unit), indexWords(q.eaqi ?? null), String(q.stations), percent(q.share)] : ["–", "–", "0", percent(0)])];
  });
  const columns = [t("map.columnDistrict"), t("map.columnValue"), t("map.air"), t("map.stations"), t("map.share")];
  return table(t("map.tableDistricts", { quantity: name(view.quantity), window: when }), columns, rows, t("frame.loading"));
}

function stationTable({ view, stations, zone }: Shown, open: Open): HTMLElement {
  const rows = (stations?.features ?? []).map((f) => {
    const v = f.properties.values[view.quantity];
    return [
      open("station", String(f.id)), f.properties.name, v ? amount(v.value, view.quantity, v.unit) : "–", stateWords(f.properties.state),
      f.properties.last_seen ? clock(f.properties.last_seen, zone, true) : t("map.never"),
    ];
  });
  return table(t("map.tableStations"), [t("map.columnStation"), t("map.columnName"), t("map.columnValue"), t("map.state"), t("map.lastSeen")], rows, t("map.noStations"));
}

// table is a table that scrolls by itself where it is too wide; where it has no rows it says none.
export function table(caption: string, columns: string[], rows: Row[], none = ""): HTMLElement {
  if (rows.length === 0) return h("p", {}, h("strong", {}, caption), `: ${none}`);
  return h(
    "div",
    { class: "scroll", "data-key": caption, tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...columns.map((c) => h("th", { scope: "col" }, c)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, i) => (i === 0 ? h("th", { scope: "row" }, cell) : h("td", {}, cell)))))),
    ),
  );
}
