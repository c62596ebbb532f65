// Pages to embed in other sites: a small card of a cell, a district, a station or the city, or a map. They load only what they show,
// again every minute.
import * as api from "../api";
import { errorText } from "../client";
import { update, h } from "../dom";
import type { Frame, Page } from "../frame";
import { amount, clock, name, percent, t } from "../language";
import type { Place } from "../lookback/days";
import { iso, readView, writeView, type View } from "../map/view";
import { headlineIndex, steps } from "../map/colours";
import { plot } from "../map/plot";
import { places } from "../map/surroundings";
import { markOf } from "../map/symbol";
import {
  areaCertaintyText,
  bigValue,
  certaintyText,
  indexRows,
  findQuantity,
  windowPeriod,
  stationIcon,
  cellName,
  stateText,
  typicalText,
} from "../map/text";
import { facts } from "../parts";
import "./embed.css";
import { footer } from "./footer";

const refreshEvery = 60_000; // milliseconds

// Card makes the content of a card in the current language.
type Card = () => (Node | null)[];

export function open(frame: Frame): Page {
  const view = readView(location.search);
  const body = h("div", { class: "embed" });
  const { kind = "", id = "" } = frame.parts;
  let card: Card = () => [h("p", { class: "quiet" }, t("frame.loading"))];
  let city: api.City | null = null;
  let showYear: (() => void) | null = null; // where the address asks for a look back

  const render = (): void => update(body, ...card(), footer(city, cityPage(kind, id, view)));
  async function load(): Promise<void> {
    try {
      card = await makeCard(kind, id, view, city ?? (await frame.city));
      frame.setStatus("");
    } catch (e) {
      const detail = errorText(e);
      card = () => [h("h1", {}, t("embed.title")), h("p", { class: "hint" }, t("embed.nothing", { detail }))];
    }
    render();
  }

  frame.main.replaceChildren(body);
  void frame.city.then(async (got) => {
    city = got;
    if (kind === "map") return void (await import("./map")).show(body, got, view);
    const place = yearOf(kind, id, location.search);
    if (place) {
      const year = await import("./year");
      showYear = () => void year.show(body, got, place, view.quantity, cityPage(kind, id, view));
      return showYear();
    }
    void load();
    setInterval(() => void load(), refreshEvery);
  });
  return { title: () => "", render: () => (kind === "map" ? undefined : showYear ? showYear() : render()) };
}

// yearOf returns the place at which the address asks to look back; null where it does not.
function yearOf(kind: string, id: string, search: string): Place | null {
  const kinds = ["city", "district", "cell", "station"] as const;
  const found = kinds.find((k) => k === kind);
  return found && new URLSearchParams(search).get("show") === "year" ? { kind: found, id } : null;
}

// Look is how a card shows what it is of.
interface Look {
  view: View;
  zone: string;
  index: api.Index; // that the city shows
  deviation: api.Deviation | undefined; // of the quantity from official instruments
}

const legendOf = (quantity: string, { view, index }: Look, window = view.window) =>
  steps({ quantity, window, index, palette: view.palette }, []);

// makeCard requests what a card of this kind shows. A card is complete without the comparison with official instruments.
async function makeCard(kind: string, id: string, view: View, city: api.City): Promise<Card> {
  const comparison = kind === "station" ? null : await api.deviations().catch(() => null);
  const look: Look = {
    view,
    zone: city.properties.zone,
    index: headlineIndex(city),
    deviation: api.deviationOf(view.quantity, comparison),
  };
  const makers: Record<string, () => Promise<Card>> = {
    city: async () => area(await api.cityAt(view).then((c) => c.properties), look),
    district: async () => {
      const found = (await api.districts(view)).features.find((f) => f.properties.name === id);
      if (!found) throw new Error(id);
      return area(found.properties, look);
    },
    cell: async () => cell((await Promise.all([api.cell(id, view), places()]))[0], look),
    station: async () => station(await api.station(id), await lastHour(id, view.quantity), look),
  };
  return makers[kind]?.() ?? Promise.reject(new Error(kind));
}

// cityPage returns the address of the city's own page with the same.
function cityPage(kind: string, id: string, view: View): string {
  if (kind === "station") return `/stations/${encodeURIComponent(id)}`;
  const chosen = kind === "cell" || kind === "district" ? ({ kind, id } as const) : null;
  return `/${writeView({ ...view, chosen }, "")}`;
}

const noValue = () => h("p", { class: "quiet" }, t("embed.noValue"));

const deviationRows = (deviation: api.Deviation | undefined): [string, string][] =>
  deviation ? [[t("comparison.uncertainty"), typicalText(deviation)]] : [];

function area(p: { name: string; window_start: string; quantities: api.CityQuantity[]; index: api.Indices }, look: Look): Card {
  const { view, zone, index, deviation } = look;
  const q = findQuantity(p.quantities, view.quantity);
  return () => [
    h("h1", {}, p.name),
    h("p", { class: "quiet" }, `${name(view.quantity)}, ${windowText(p, view, zone)}`),
    q ? bigValue(q.mean, q.quantity, q.unit, q[index] ? legendOf(q.quantity, look) : []) : noValue(),
    q?.stations === 1 ? h("p", { class: "hint" }, t("map.oneStation")) : null,
    facts([
      ...indexRows(p.index, index),
      ...(q ? deviationRows(deviation) : []),
      ...(q
        ? ([
            [t("map.share"), t("map.shareOf", { cells: String(q.cells), all: String(q.all_cells), share: percent(q.share) })],
            [t("map.certainty"), areaCertaintyText(q.certainty)],
          ] as [string, string][])
        : []),
    ]),
  ];
}

function cell(answer: api.CellAnswer, look: Look): Card {
  const { view, zone, index, deviation } = look;
  const c = answer.averages.find((a) => a.quantity === view.quantity);
  return () => [
    h("h1", {}, cellName(answer.cell)),
    h("p", { class: "quiet" }, `${name(view.quantity)}, ${windowText(answer, view, zone)}`),
    c ? bigValue(c.mean, c.quantity, c.unit, legendOf(c.quantity, look)) : noValue(),
    c
      ? facts([
          ...indexRows(answer.index, index).slice(0, 1),
          [t("map.certainty"), certaintyText(c.certainty)],
          ...deviationRows(deviation),
        ])
      : null,
    plot(answer.trend, zone),
  ];
}

// HourMean is a station's mean of an hour, corrected for humidity where the quantity has a correction.
interface HourMean {
  start: string;
  mean: number;
  unit: string;
}

// lastHour requests a station's last full hour with a mean, of the last three; null where there is none.
async function lastHour(id: string, quantity: string): Promise<HourMean | null> {
  const now = Date.now();
  const period = `from=${iso(now - 4 * 3600_000)}&to=${iso(now)}`;
  const series = await api.get<api.Answer<"getSeries">>(
    `/api/v1/stations/${encodeURIComponent(id)}/series?quantity=${encodeURIComponent(quantity)}&window=1h&${period}`,
  );
  const last = series.corrected.findLastIndex((mean) => mean !== null);
  const [mean, start] = [series.corrected[last], series.start[last]];
  return mean == null || !start ? null : { start, mean, unit: series.unit };
}

function station(f: api.Station, hour: HourMean | null, look: Look): Card {
  const { view, zone } = look;
  const s = f.properties;
  const v = s.values[view.quantity];
  const period = hour && windowPeriod({ window_start: hour.start, window_seconds: 3600 }, zone);
  return () => [
    h("h1", {}, s.name || f.id),
    h("p", { class: "quiet" }, period ? `${name(view.quantity)}, ${t("embed.hourMean", { period })}` : name(view.quantity)),
    hour
      ? bigValue(hour.mean, view.quantity, hour.unit, legendOf(view.quantity, look, "1h"))
      : h("p", { class: "quiet" }, t(s.rare ? "map.rare" : "embed.noHour")),
    facts([
      [t("map.state"), h("span", { class: "class" }, stationIcon(markOf(s)), stateText(markOf(s)))],
      [t("map.lastSeen"), s.last_seen ? clock(s.last_seen, zone, true) : t("map.never")],
      ...(v ? ([[t("embed.single"), amount(v.value, view.quantity, v.unit)]] as [string, string][]) : []),
    ]),
  ];
}

// windowText returns the window of the values.
function windowText(w: { window_start: string }, view: View, zone: string): string {
  return view.window === "live" ? t("map.windowLive") : windowPeriod({ ...w, window_seconds: view.window === "24h" ? 86_400 : 3600 }, zone);
}
