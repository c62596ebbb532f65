// A station's page: is it well, what has it measured, where has it stood; and behind its key, its management.
import type { City, Health, Station } from "../api";
import { ask, Refused, words } from "../client";
import { fill, h } from "../dom";
import type { Frame, Page } from "../frame";
import { amount, clock, name, number, percent, t, type Key } from "../language";
import { facts, field, list, pick, table } from "../parts";
import { keyOf, management } from "./manage";
import { plot, values } from "./plot";
import { flagList, refusalList } from "./refusals";
import { from, periods, readings, readingsRoute, series, type Period, type Readings, type Series } from "./series";
import "./station.css";
import { watch } from "./watch";
import { high, standing } from "./words";

const state = {
  id: "",
  city: null as City | null,
  station: null as Station | null,
  health: null as Health | null,
  failure: null as (() => string) | null,
  quantity: "",
  period: "24h" as Period,
  series: null as Series | null,
  readings: null as Readings | null,
};

let frame: Frame;
const parts = {
  head: h("div", { class: "stack" }),
  well: h("section", { class: "panel stack" }),
  trouble: h("section", { class: "panel stack", hidden: true }),
  plots: h("section", { class: "panel stack" }),
  history: h("section", { class: "stack" }),
  manage: h("section", { class: "stack" }),
};

export function open(around: Frame): Page {
  frame = around;
  state.id = (frame.parts.id ?? "").toUpperCase();
  frame.main.replaceChildren(
    h(
      "div",
      { class: "wide station" },
      parts.head,
      h("div", { class: "station-top" }, parts.well, parts.trouble),
      parts.plots,
      parts.history,
      parts.manage,
    ),
  );
  void frame.city.then((city) => {
    state.city = city;
    void load();
  });
  addEventListener("hashchange", manage);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renderPlot);
  return { title: () => state.station?.properties.name ?? t("station.title", { id: state.id }), render };
}

const zone = (): string => state.city?.properties.zone ?? "UTC";

async function load(): Promise<void> {
  await reload();
  watch(state.id, {
    reading: () => void reload(),
    health(found) {
      state.health = found;
      state.failure = null;
      render();
    },
    failed(e) {
      state.failure = () => (e instanceof Refused && e.status === 404 ? t("station.none", { id: state.id }) : words(e));
      render();
    },
  });
  manage();
}

// reload asks for the public station; one that waits or is gone has no public side.
async function reload(): Promise<void> {
  try {
    const before = state.station?.properties.status;
    state.station = await ask<Station>("GET", `/api/v1/stations/${encodeURIComponent(state.id)}`);
    if (!state.quantity || before === undefined) void chart();
  } catch (e) {
    state.station = null;
    if (e instanceof Refused && e.status !== 404) state.failure = () => words(e);
  }
  render();
}

function manage(): void {
  fill(parts.manage);
  const key = keyOf(location.hash);
  if (key && state.city) parts.manage.replaceChildren(management(state.id, key, state.city, () => void reload()));
  else parts.manage.replaceChildren(h("details", {}, h("summary", {}, t("manage.yours")), h("div", {}, h("p", {}, t("manage.how")))));
}

function render(): void {
  const [station, health] = [state.station, state.health];
  const title = station?.properties.name ?? t("station.title", { id: state.id });
  const id = station
    ? h("p", { class: "quiet" }, t("station.title", { id: state.id }), station.properties.demo ? ` · ${t("station.demo")}` : "")
    : null;
  fill(parts.head, id, h("h1", {}, title));
  parts.plots.hidden = parts.history.hidden = !station;
  renderWell(station, health);
  renderTrouble(health);
  if (station) fill(parts.history, ...history(station));
  renderControls();
  renderPlot();
  if (document.documentElement.lang !== spoken) {
    spoken = document.documentElement.lang;
    manage();
  }
}

let spoken = "";

// wellWords is the state of a station in a sentence, and whether it is good, bad or neither.
function wellWords(health: Health): [text: string, kind: "fine" | "trouble" | ""] {
  if (health.status !== "active") return [standing(health.status, health.reason), health.status === "paused" ? "" : "trouble"];
  return [
    t(`station.well_${health.state}`),
    { ok: "fine", silent: "trouble", check: "trouble", new: "" }[health.state] as "fine" | "trouble" | "",
  ];
}

function renderWell(station: Station | null, health: Health | null): void {
  if (!health) return fill(parts.well, h("p", { class: state.failure ? "trouble" : "quiet" }, state.failure?.() ?? t("frame.loading")));
  const [text, kind] = wellWords(health);
  const properties = station?.properties;
  const value = (quantity: string): string => {
    const v = properties?.values[quantity];
    return v ? amount(v.value, quantity, v.unit) : t("station.unknown");
  };
  fill(
    parts.well,
    h("h2", {}, t("station.well")),
    h("p", { class: kind, role: "status" }, text),
    facts([
      [t("station.lastMessage"), health.last_seen ? clock(health.last_seen, zone(), true) : t("station.never")],
      [
        t("station.counted"),
        health.good_share_24h === null
          ? t("station.nothing")
          : t("station.countedOf", { share: percent(health.good_share_24h), count: number(health.values_24h, 0) }),
      ],
      [t("station.signal"), value("rssi")],
      [t("station.battery"), value("battery")],
      ...(properties
        ? ([
            [t("station.kit"), properties.sensors.length ? properties.sensors.map((s) => s.toUpperCase()).join(", ") : properties.kit],
            [
              t("station.stands"),
              [
                t(`station.${properties.exposure === "indoor" ? "indoor" : "outdoor"}`),
                t("station.height", { metres: high(properties.height) }),
                properties.side ? t(`side.${properties.side}` as Key) : "",
              ]
                .filter(Boolean)
                .join(", "),
            ],
          ] as const)
        : []),
    ]),
  );
}

function renderTrouble(health: Health | null): void {
  const flags = health?.flags ?? [];
  const refusals = health?.refusals ?? [];
  parts.trouble.hidden = !health;
  fill(
    parts.trouble,
    h("h2", {}, t("station.trouble")),
    ...(flags.length ? [h("h3", {}, t("station.flags")), flagList(flags)] : []),
    ...(refusals.length ? [h("h3", {}, t("station.refusals")), refusalList(refusals, zone())] : []),
    ...(flags.length || refusals.length ? [] : [h("p", {}, t(health?.last_seen ? "station.noTrouble" : "station.nothingYet"))]),
  );
}

// measured are the quantities that can be plotted, particles first.
function measured(): string[] {
  const order = ["pm2_5", "pm10", "pm1", "pm4", "no2", "o3", "co2", "temperature", "humidity", "pressure", "noise_laeq"];
  const known = Object.keys(state.station?.properties.values ?? {});
  return [...order.filter((q) => known.includes(q)), ...known.filter((q) => !order.includes(q))];
}

const picture = h("div", { class: "stack", "aria-live": "off" });

function renderControls(): void {
  if (!state.station) return;
  const quantities = measured();
  const choose = (change: () => void) => {
    change();
    void chart();
  };
  const downloads = (["csv", "geojson"] as const).map((format) => {
    const since = from(state.period === "365d" && format === "geojson" ? "30d" : state.period, new Date());
    return h("a", { href: readingsRoute(state.id, since, new Date(), format), "data-key": format }, format === "csv" ? "CSV" : "GeoJSON");
  });
  fill(
    parts.plots,
    h("h2", {}, t("station.values")),
    ...(quantities.length === 0
      ? [h("p", {}, t("station.noValues"))]
      : [
          h(
            "div",
            { class: "plot-controls" },
            field(
              t("station.quantity"),
              keyed(
                "quantity",
                list(
                  quantities.map((q) => [q, name(q)] as const),
                  state.quantity || (quantities[0] ?? ""),
                  (v) => choose(() => (state.quantity = v)),
                ),
              ),
            ),
            pick(
              t("station.period"),
              "period",
              periods.map((p) => [p, t(`station.period_${p}`)] as const),
              state.period,
              (v) => choose(() => (state.period = v as Period)),
            ),
          ),
        ]),
    h(
      "p",
      { class: "quiet" },
      `${t("station.download", { period: t(`station.period_${state.period}`) })}: `,
      ...downloads.flatMap((a) => [a, " "]),
    ),
  );
  parts.plots.insertBefore(picture, parts.plots.lastElementChild);
}

function keyed<E extends HTMLElement>(key: string, element: E): E {
  element.id = `plot-${key}`;
  element.setAttribute("data-key", key);
  return element;
}

let turn = 0;

// chart asks for what is to be plotted. What was asked before and comes later is not shown.
async function chart(): Promise<void> {
  const mine = ++turn;
  state.quantity ||= measured()[0] ?? "";
  if (!state.quantity) return;
  const now = new Date();
  try {
    const [s, r] = await Promise.all([
      series(state.id, state.quantity, state.period, now),
      state.period === "24h" ? readings(state.id, state.quantity, now) : null,
    ]);
    if (mine !== turn) return;
    [state.series, state.readings] = [s, r];
    drawnAs = "";
    render();
  } catch (e) {
    if (mine === turn) picture.replaceChildren(h("p", { class: "trouble" }, t("frame.failed", { detail: words(e) })));
  }
}

let drawnAs = ""; // what the picture shows: it is drawn anew only when that changes

function renderPlot(): void {
  const s = state.series;
  if (!s) return;
  const shows = [
    s.quantity,
    s.start[0],
    s.start.length,
    state.readings?.at.length,
    state.period,
    document.documentElement.lang,
    matchMedia("(prefers-color-scheme: dark)").matches,
  ].join();
  if (shows === drawnAs) return;
  drawnAs = shows;
  const open = picture.querySelector("details")?.open ?? false;
  picture.replaceChildren(
    plot(s, state.readings, state.period, zone()),
    h("p", { class: "quiet" }, t("station.plotNote")),
    h("details", { open }, h("summary", {}, t("station.asTable")), h("div", {}, values(s, zone()))),
  );
}

function history(station: Station): HTMLElement[] {
  const p = station.properties;
  const day = (iso: string) => clock(iso, zone());
  return [
    h("h2", {}, t("station.history")),
    h("p", { class: "quiet" }, t("station.historyNote")),
    h(
      "div",
      { class: "pair" },
      table(
        t("station.places"),
        [t("station.since"), t("station.place")],
        [...p.places].reverse().map((o) => [day(o.from), `${number(o.lat, 4)}, ${number(o.lon, 4)}`]),
      ),
      table(
        t("station.fittings"),
        [t("station.since"), t("station.kit")],
        [...p.fittings].reverse().map((f) => [day(f.from), f.sensors.length ? f.sensors.map((s) => s.toUpperCase()).join(", ") : f.kit]),
      ),
    ),
  ];
}
