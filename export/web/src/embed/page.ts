// Pages to embed in other sites: a small card of a cell, a district, a station or the city, or a map. They load only what they show,
// again every minute.
import * as api from "../api";
import { errorText } from "../client";
import { update, h } from "../dom";
import type { Frame, Page } from "../frame";
import { amount, clock, name, percent, t } from "../language";
import { iso, readView, writeView, type View } from "../map/view";
import { steps } from "../map/colours";
import { plot } from "../map/plot";
import { places } from "../map/surroundings";
import { markOf } from "../map/symbol";
import { bigValue, certaintyText, indexRows, findQuantity, windowPeriod, stationIcon, cellName, stateText, typicalText } from "../map/text";
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

  const render = (): void => update(body, ...card(), footer(city, cityPage(kind, id, view)));
  async function load(): Promise<void> {
    try {
      card = await makeCard(kind, id, view, city?.properties.zone ?? (await frame.city).properties.zone);
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
    void load();
    setInterval(() => void load(), refreshEvery);
  });
  return { title: () => "", render: kind === "map" ? () => {} : render };
}

// beside requests what the city's values are worth beside official instruments; a card is complete without it.
const beside = (quantity: string): Promise<api.Headline | undefined> =>
  api.headlines().then(
    (c) => c.headline.find((x) => x.quantity === quantity),
    () => undefined,
  );

// makeCard requests what a card of this kind shows.
async function makeCard(kind: string, id: string, view: View, zone: string): Promise<Card> {
  const headline = await beside(view.quantity);
  const makers: Record<string, () => Promise<Card>> = {
    city: async () => area(await api.cityAt(view).then((c) => c.properties), view, zone, headline),
    district: async () => {
      const found = (await api.districts(view)).features.find((f) => f.properties.name === id);
      if (!found) throw new Error(id);
      return area(found.properties, view, zone, headline);
    },
    cell: async () => cell((await Promise.all([api.cell(id, view), places()]))[0], view, zone, headline),
    station: async () => station(await api.station(id), await lastHour(id, view.quantity), view, zone),
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

function area(
  p: { name: string; window_start: string; quantities: api.CityQuantity[]; index: api.Indices },
  view: View,
  zone: string,
  headline: api.Headline | undefined,
): Card {
  const q = findQuantity(p.quantities, view.quantity);
  return () => [
    h("h1", {}, p.name),
    h("p", { class: "quiet" }, `${name(view.quantity)}, ${windowText(p, view, zone)}`),
    q ? bigValue(q.mean, q.quantity, q.unit, steps(q.quantity, [], view.palette)) : noValue(),
    facts([
      ...indexRows(p.index),
      ...(q && headline ? [[t("comparison.uncertainty"), typicalText(headline)] as [string, string]] : []),
      ...(q
        ? [
            [t("map.share"), t("map.shareOf", { cells: String(q.cells), all: String(q.all_cells), share: percent(q.share) })] as [
              string,
              string,
            ],
          ]
        : []),
    ]),
  ];
}

function cell(answer: api.CellAnswer, view: View, zone: string, headline: api.Headline | undefined): Card {
  const c = answer.averages.find((a) => a.quantity === view.quantity);
  return () => [
    h("h1", {}, cellName(answer.cell)),
    h("p", { class: "quiet" }, `${name(view.quantity)}, ${windowText(answer, view, zone)}`),
    c ? bigValue(c.mean, c.quantity, c.unit, steps(c.quantity, [], view.palette)) : noValue(),
    c
      ? facts([
          [t("eaqi.european"), indexRows(answer.index)[0]?.[1] ?? ""],
          [t("map.certainty"), certaintyText(c.certainty)],
          ...(headline ? [[t("comparison.uncertainty"), typicalText(headline)] as [string, string]] : []),
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

function station(f: api.Station, hour: HourMean | null, view: View, zone: string): Card {
  const s = f.properties;
  const v = s.values[view.quantity];
  const period = hour && windowPeriod({ window_start: hour.start, window_seconds: 3600 }, zone);
  return () => [
    h("h1", {}, s.name || f.id),
    h("p", { class: "quiet" }, period ? `${name(view.quantity)}, ${t("embed.hourMean", { period })}` : name(view.quantity)),
    hour ? bigValue(hour.mean, view.quantity, hour.unit, steps(view.quantity, [], view.palette)) : noValue(),
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
