// The values of the map as tables, for screen readers, for printing, and for people who prefer to read.
import type { Districts, Grid, Index, Stations } from "../api";
import { h } from "../dom";
import { amount, clock, language, name, number, percent, t } from "../language";
import { dayOf, type Chosen, type View } from "./view";
import { rows, type Row } from "./rows";
import { markOf } from "./symbol";
import { certaintyText, indexText, findQuantity, stateText } from "./text";

// TableData is what the tables show.
export interface TableData {
  view: View;
  when: string; // the window as text
  index: Index; // that the city shows
  grid: Grid | null;
  districts: Districts | null;
  stations: Stations | null;
  zone: string;
}

export interface Tables {
  readonly element: HTMLElement;
  show(s: TableData): void;
  finish(): void; // all rows at once, before printing
}

export function tables(choose: (chosen: Chosen) => void): Tables {
  const [areas, stations] = [rows(), rows()];
  const chooseRow = (e: Event): void => {
    const [, kind, id] = /^(cell|district|station)\/(.*)$/.exec((e.target as Element).getAttribute("data-key") ?? "") ?? [];
    if (id !== undefined) choose({ kind: kind as Chosen["kind"], id });
  };
  return {
    element: h("div", { click: chooseRow }, areas.element, stations.element),
    show(s) {
      const window = { quantity: name(s.view.quantity), window: s.when };
      if (s.view.layer === "districts") areas.show(t("map.tableDistricts", window), districtColumns(), districtRows(s), t("frame.loading"));
      else areas.show(t("map.tableCells", window), cellColumns(), cellRows(s), t(s.grid ? "map.noCells" : "frame.loading"));
      stations.show(t("map.tableStations"), stationColumns(), stationRows(s), t(s.stations ? "map.noStations" : "frame.loading"));
    },
    finish() {
      areas.finish();
      stations.finish();
    },
  };
}

// row makes a row whose state is all that it shows.
const row = (kind: Chosen["kind"], id: string, state: unknown[], cells: () => string[]): Row => ({
  key: `${kind}/${id}`,
  name: id,
  state: [language(), ...state].join(),
  cells,
});

const cellColumns = (): string[] => [
  t("map.columnCell"),
  t("map.columnValue"),
  t("map.air"),
  t("map.stations"),
  t("map.certainty"),
  t("map.coverage"),
  t("map.columnPlace"),
];

function cellRows({ grid, index }: TableData): Row[] {
  return (grid?.features ?? []).map(({ geometry, properties: c }) =>
    row("cell", c.cell, [c.quantity, c.mean, index, c[index], c.stations, c.certainty, c.coverage], () => {
      const corners = geometry.coordinates[0] ?? [];
      const [lon = 0, lat = 0] = [0, 1].map((i) => ((corners[0]?.[i] ?? 0) + (corners[2]?.[i] ?? 0)) / 2);
      return [
        amount(c.mean, c.quantity, c.unit),
        indexText(index, c[index]),
        String(c.stations),
        certaintyText(c.certainty),
        percent(c.coverage),
        `${number(lat, 3)}, ${number(lon, 3)}`,
      ];
    }),
  );
}

const districtColumns = (): string[] => [t("map.columnDistrict"), t("map.columnValue"), t("map.air"), t("map.stations"), t("map.share")];

function districtRows({ view, districts, index }: TableData): Row[] {
  return (districts?.features ?? []).map((f) => {
    const q = findQuantity(f.properties.quantities, view.quantity);
    return row("district", f.properties.name, q ? [q.quantity, q.mean, index, q[index], q.stations, q.share] : [], () =>
      q
        ? [amount(q.mean, q.quantity, q.unit), indexText(index, q[index]), String(q.stations), percent(q.share)]
        : ["–", "–", "0", percent(0)],
    );
  });
}

const stationColumns = (): string[] => [
  t("map.columnStation"),
  t("map.columnName"),
  t("map.columnValue"),
  t("map.state"),
  t("map.lastSeen"),
];

function stationRows({ view, stations, zone }: TableData): Row[] {
  const today = dayOf(Date.now(), zone); // clock adds the date to times of another day
  return (stations?.features ?? []).map((f) => {
    const { name, last_seen: seen, values } = f.properties;
    const mark = markOf(f.properties);
    const v = values[view.quantity];
    return row("station", f.id, [view.quantity, v?.value, mark, seen, name, zone, today], () => [
      name,
      v ? amount(v.value, view.quantity, v.unit) : "–",
      stateText(mark),
      seen ? clock(seen, zone, true) : t("map.never"),
    ]);
  });
}
