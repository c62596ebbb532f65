// The map page: it holds the state, asks the API, listens to the stream, and puts the parts on the page.
import * as api from "../api";
import type { Choice, City, Grid, ReadingEvent, Stations } from "../api";
import { steps, type Step } from "./colours";
import { fill, h } from "../dom";
import type { Frame, Page } from "../frame";
import { clock, name, t } from "../language";
import { create, type Chosen, type CityMap } from "./canvas";
import "./map.css";
import * as view from "./view";

const retryAfter = 5000; // milliseconds after a failed request
const thanks = 5000; // milliseconds for which a connection that is back is mentioned
const settle = 400; // milliseconds within which changes of the grid are asked for once

const resolutions = [500, 1000, 2000, 5000];

const state = {
  choice: { quantity: "pm2_5", window: "live", resolution: 1000 } as Choice,
  city: null as City | null,
  grid: null as Grid | null,
  stations: null as Stations | null,
  chosen: null as Chosen | null,
  lastReading: null as string | null,
  failure: null as string | null,
  lost: false,
  back: false,
};

let frame: Frame;
let page: ReturnType<typeof build>;
let map: CityMap | null = null;

export function open(around: Frame): Page {
  frame = around;
  page = build();
  try {
    map = create(page.map, choose);
  } catch {
    page.map.replaceChildren(h("p", { class: "hint" }, t("map.mapFailed")));
  }
  void load();
  listen();
  return { title: () => "", render };
}

// build makes the page's frame; the parts that change are filled by render.
function build() {
  const parts = {
    title: h("h1", {}),
    claim: h("p", { class: "claim quiet" }),
    figure: h("section", { class: "figure" }),
    last: h("p", { class: "quiet last" }),
    controls: h("form", { class: "controls", submit: (e) => e.preventDefault() }),
    legend: h("div", {}),
    map: h("div", { class: "map" }),
    card: h("section", { class: "card", hidden: true }),
    summary: h("summary", {}),
    tables: h("div", {}),
    skip: h("a", { class: "skip", href: "#table" }),
  };
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && state.chosen) choose(null);
  });
  const details = h("details", { id: "table" }, parts.summary, parts.tables);
  let opened = false; // for the printer, not by a person
  addEventListener("beforeprint", () => {
    opened = !details.open;
    details.open = true;
  });
  addEventListener("afterprint", () => {
    if (opened) details.open = false;
  });
  parts.skip.addEventListener("click", () => {
    details.open = true;
    parts.summary.focus();
  });
  frame.main.replaceChildren(
    parts.skip,
    h("div", { class: "panes" },
      h("div", { class: "side" }, parts.title, parts.claim, parts.figure, parts.last, parts.controls, parts.legend),
      h("div", { class: "stage" }, parts.map, parts.card),
    ),
    details,
  );
  return parts;
}

function unit(): string {
  return state.grid?.features[0]?.properties.unit ?? state.city?.properties.quantities.find((q) => q.quantity === state.choice.quantity)?.unit ?? "";
}

function currentSteps(): Step[] {
  return steps(state.choice.quantity, state.grid?.features.map((f) => f.properties.mean) ?? []);
}

const zone = (): string => state.city?.properties.zone ?? "UTC";

// render puts the state on the page.
function render(): void {
  const city = state.city;
  page.title.textContent = t("map.heading", { city: city?.properties.name ?? "" }).trim();
  page.claim.textContent = t("map.claim");
  page.skip.textContent = t("map.skip");
  page.summary.textContent = t("map.table");
  map?.speak({ map: t("map.map"), zoomIn: t("map.zoomIn"), zoomOut: t("map.zoomOut") });
  const legend = currentSteps();
  if (city) fill(page.figure, view.figure(city, state.choice, legend));
  renderLast();
  renderStatus();
  renderControls();
  fill(page.legend, view.legend(legend, state.choice, unit()));
  fill(page.tables, view.tables(state.grid, state.stations, state.choice, zone(), choose));
  renderCard(legend);
}

function renderLast(): void {
  page.last.textContent = state.lastReading ? t("map.lastReading", { time: clock(state.lastReading, zone(), true) }) : "";
}

function renderStatus(): void {
  const words = state.failure ? t("frame.failed", { detail: state.failure }) : state.lost ? t("frame.lost") : state.back ? t("frame.back") : "";
  frame.say(words, state.failure !== null || state.lost);
}

function renderControls(): void {
  const select = (label: string, id: keyof Choice, options: [string, string][]) =>
    h(
      "label",
      {},
      h("span", {}, label),
      h(
        "select",
        { id, name: id, "data-key": id, change: (e) => change(id, (e.target as HTMLSelectElement).value) },
        ...options.map(([value, text]) => h("option", { value, selected: value === String(state.choice[id]) }, text)),
      ),
    );
  const known = state.city?.properties.quantities.map((q) => q.quantity) ?? [];
  const quantities = known.includes(state.choice.quantity) ? known : [state.choice.quantity, ...known];
  fill(
    page.controls,
    select(t("map.quantity"), "quantity", quantities.map((q) => [q, name(q)])),
    select(t("map.window"), "window", [
      ["live", t("map.windowLive")],
      ["1h", t("map.windowHour")],
    ]),
    select(t("map.resolution"), "resolution", resolutions.map((m) => [String(m), m < 1000 ? `${m} m` : `${m / 1000} km`])),
  );
}

function renderCard(legend: readonly Step[]): void {
  const chosen = state.chosen;
  const body = chosen ? cardBody(chosen, legend) : null;
  page.card.hidden = body === null;
  if (!chosen || !body) return page.card.replaceChildren();
  const heading = t(chosen.kind === "cell" ? "map.cell" : "map.station", { [chosen.kind === "cell" ? "code" : "id"]: short(chosen) });
  fill(
    page.card,
    h("div", { class: "card-head" }, h("h2", { tabindex: "-1", "data-key": "card" }, heading), h("button", { type: "button", class: "close", "data-key": "close", "aria-label": t("map.close"), click: () => choose(null) }, "×")),
    body,
  );
}

// short is a cell's code as census tables write it, which people can say aloud.
function short(chosen: Chosen): string {
  const parts = /^CRS3035RES(\d+)mN(\d+)E(\d+)$/.exec(chosen.id);
  if (!parts) return chosen.id;
  const [size, north, east] = parts.slice(1).map(Number) as [number, number, number];
  return `${size < 1000 ? `${size}m` : `${size / 1000}km`}N${north / size}E${east / size}`;
}

function cardBody(chosen: Chosen, legend: readonly Step[]): HTMLElement | null {
  if (chosen.kind === "cell") {
    const cell = state.grid?.features.find((f) => f.properties.cell === chosen.id);
    return cell ? view.cellCard(cell.properties, state.choice, zone(), legend) : null;
  }
  const station = state.stations?.features.find((f) => f.id === chosen.id);
  return station ? view.stationCard(chosen.id, station.properties, zone()) : null;
}

let opener: Element | null = null;

// again is the element itself, or the one that took its place when the page was redrawn.
function again(element: HTMLElement): HTMLElement | null {
  const key = element.getAttribute("data-key");
  return element.isConnected || !key ? element : document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}

// choose opens the card of a cell or station, or closes it; the focus goes there and back.
function choose(chosen: Chosen | null): void {
  if (chosen && !state.chosen) opener = document.activeElement;
  state.chosen = chosen;
  map?.mark(chosen);
  renderCard(currentSteps());
  if (chosen) page.card.querySelector("h2")?.focus();
  else if (opener instanceof HTMLElement) again(opener)?.focus();
}

function change(id: keyof Choice, value: string): void {
  state.choice = { ...state.choice, [id]: id === "resolution" ? Number(value) : value };
  if (state.chosen?.kind === "cell") choose(null);
  state.grid = null; // never another choice's values under this one's name
  map?.grid(null, []);
  render();
  void loadGrid();
}

let asked = new AbortController();

// load asks for everything, again after a while when that fails.
async function load(): Promise<void> {
  render();
  try {
    const [city, stations] = await Promise.all([api.city(), api.stations()]);
    state.city = city;
    state.stations = stations;
    state.lastReading = later(state.lastReading, city.properties.last_reading);
    map?.city(city);
    map?.stations(stations);
    await loadGrid();
  } catch (e) {
    fail(e);
  }
}

async function loadGrid(): Promise<void> {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  try {
    const grid = await api.grid(state.choice, signal);
    if (signal.aborted) return;
    state.grid = grid;
    state.failure = null;
    map?.grid(grid, currentSteps());
    render();
  } catch (e) {
    if (!signal.aborted) fail(e);
  }
}

let retry = 0;

function fail(e: unknown): void {
  state.failure = e instanceof Error ? e.message : String(e);
  renderStatus();
  clearTimeout(retry);
  retry = window.setTimeout(() => void load(), retryAfter);
}

const later = (a: string | null, b: string | null): string | null => (!a || (b && b > a) ? b : a);

let pending = 0;

// listen follows the stream: readings at once, the grid a moment after it changed.
function listen(): void {
  const stream = new EventSource("/api/v1/stream");
  stream.addEventListener("open", () => {
    const was = state.lost;
    state.lost = false;
    if (was) {
      state.back = true;
      window.setTimeout(() => {
        state.back = false;
        renderStatus();
      }, thanks);
      void load();
    }
    renderStatus();
  });
  stream.addEventListener("error", () => {
    state.lost = true;
    renderStatus();
    if (stream.readyState === EventSource.CLOSED) {
      stream.close();
      window.setTimeout(listen, retryAfter);
    }
  });
  stream.addEventListener("grid", () => {
    clearTimeout(pending);
    pending = window.setTimeout(() => void refresh(), settle);
  });
  stream.addEventListener("reading", (e) => heard(JSON.parse((e as MessageEvent<string>).data) as ReadingEvent));
}

async function refresh(): Promise<void> {
  try {
    const [city, stations] = await Promise.all([api.city(), api.stations()]);
    state.city = city;
    state.stations = stations;
    map?.stations(stations);
    await loadGrid();
  } catch (e) {
    fail(e);
  }
}

function heard(reading: ReadingEvent): void {
  state.lastReading = later(state.lastReading, reading.time);
  renderLast();
  const station = state.stations?.features.find((f) => f.id === reading.station)?.properties;
  if (!station) return;
  station.last_seen = reading.time;
  for (const [quantity, v] of Object.entries(reading.values)) {
    const old = station.values[quantity];
    if (!old || old.time <= reading.time) {
      station.values[quantity] = { value: v.value, flags: v.flags, time: reading.time, unit: old?.unit ?? "" };
    }
  }
  if (state.chosen?.kind === "station" && state.chosen.id === reading.station) {
    renderCard(currentSteps());
  }
}
