// The map page: it holds the state, asks the API, listens to the stream, and puts the parts on the page.
import * as api from "../api";
import type { CellAnswer, City, Districts, Grid, ReadingEvent, Stations } from "../api";
import { fill, h } from "../dom";
import { snippet } from "../embed/snippet";
import type { Frame, Page } from "../frame";
import { clock, percent, t } from "../language";
import type { CityMap } from "./canvas";
import * as card from "./card";
import { read, write, type Chosen, type View } from "./choice";
import { steps, type Step } from "./colours";
import { controls, dayWords, hourWords } from "./controls";
import { legend } from "./legend";
import "./map.css";
import { listen } from "./stream";
import { tables } from "./table";
import { big, indexRows, metres, of, short } from "./words";

const retryAfter = 5000; // milliseconds after a failed request
const thanks = 5000; // milliseconds for which a connection that is back is mentioned
const stationsEvery = 60_000; // milliseconds; between, the stream says what stations measure

export function open(frame: Frame): Page {
  let view: View = read(location.search);
  let city: City | null = null; // with its values over the window
  let grid: Grid | null = null;
  let districts: Districts | null = null;
  let stations: Stations | null = null;
  let byId = new Map<string, Stations["features"][number]>();
  let more: CellAnswer | null = null; // of the chosen cell
  let size = 0; // of the cells shown, where the server has no other; 0 is the one asked for
  let lastReading: string | null = null;
  let failure: string | null = null;
  let lost = false;
  let back = false;

  const parts = {
    title: h("h1", {}),
    figure: h("section", { class: "figure" }),
    last: h("p", { class: "quiet last" }),
    note: h("p", { class: "hint", role: "status" }),
    legend: h("div", {}),
    map: h("div", { class: "map" }),
    card: h("section", { class: "card", hidden: true }),
    embed: h("div", { class: "embeds no-print" }),
    summary: h("summary", {}),
    tables: h("div", {}),
    skip: h("a", { class: "skip", href: "#table" }),
  };
  const choices = controls(change);
  const details = foldable();
  frame.main.replaceChildren(
    parts.skip,
    h(
      "div",
      { class: "panes" },
      h("div", { class: "side" }, h("div", { class: "now" }, parts.title, parts.figure, parts.last), choices.element, parts.note, parts.legend),
      h("div", { class: "stage" }, parts.map, parts.card),
    ),
    details,
    parts.embed,
  );
  let map: CityMap | null = null;

  // unfold brings the map's library, which is large: words and values stand there before it.
  async function unfold(): Promise<void> {
    try {
      const { create } = await import("./canvas");
      map = create(parts.map, { choose, moved: (place) => remember({ ...view, place }, true) });
    } catch {
      return parts.map.replaceChildren(h("p", { class: "hint" }, t("map.mapFailed")));
    }
    draw();
    if (stations) map.stations(stations, view.stations);
    map.mark(view.chosen);
    render();
    map.city(await frame.city);
    if (view.place) map.place(view.place);
  }

  // foldable is the fold with the tables. They are made when it is open, also for a printer.
  function foldable(): HTMLDetailsElement {
    const fold = h("details", { id: "table", toggle: () => renderTables() }, parts.summary, parts.tables);
    let opened = false; // for the printer, not by a person
    addEventListener("beforeprint", () => {
      opened = !fold.open;
      fold.open = true;
      renderTables();
    });
    addEventListener("afterprint", () => {
      if (opened) fold.open = false;
    });
    parts.skip.addEventListener("click", () => {
      fold.open = true;
      parts.summary.focus();
    });
    return fold;
  }

  const zone = (): string => city?.properties.zone ?? "UTC";
  const shown = (): View => ({ ...view, resolution: size || view.resolution });
  const values = (): number[] =>
    view.layer === "districts" ? (districts?.features ?? []).flatMap((f) => of(f.properties.quantities, view.quantity)?.mean ?? []) : (grid?.features ?? []).map((f) => f.properties.mean);
  const currentSteps = (): Step[] => steps(view.quantity, values(), view.palette);
  const unit = (): string => (city && of(city.properties.quantities, view.quantity)?.unit) ?? grid?.features[0]?.properties.unit ?? "";
  const when = (): string => {
    if (view.window === "live" || !city) return t("map.windowLive");
    const start = Date.parse(city.properties.window_start);
    return view.window === "1h" ? hourWords(start, zone()) : dayWords(new Date(start + 43_200_000).toISOString().slice(0, 10));
  };

  // render puts the state on the page.
  function render(): void {
    parts.title.textContent = t("map.heading", { city: city?.properties.name ?? "" }).trim();
    parts.skip.textContent = t("map.skip");
    parts.summary.textContent = t("map.table");
    parts.note.textContent = size ? t("map.otherSize", { size: metres(size) }) : "";
    map?.speak({ map: t("map.map"), zoomIn: t("map.zoomIn"), zoomOut: t("map.zoomOut") });
    fill(parts.figure, ...(city ? figure(city) : [h("p", { class: "quiet" }, t("frame.loading"))]));
    renderLast();
    renderStatus();
    choices.show(view, city);
    const scale = currentSteps();
    fill(parts.legend, legend(scale, view.quantity, unit(), view.stations));
    fill(parts.embed, h("h2", {}, t("embed.heading")), h("p", { class: "quiet" }, t("embed.what")), snippet("city", view.quantity, t("embed.city")), snippet("map", view.quantity, t("embed.map")));
    renderTables();
    renderCard(scale);
  }

  // figure is the city's mean over the window.
  function figure(city: City): HTMLElement[] {
    const q = of(city.properties.quantities, view.quantity);
    if (!q) return [h("p", { class: "quiet" }, city.properties.last_reading ? t("map.noCityMean") : t("map.noReading"))];
    return [
      h("p", { class: "label" }, `${t("map.cityMean")}, ${when()}`),
      big(q.mean, q.quantity, q.unit, currentSteps()),
      h("p", { class: "quiet" }, t("map.cityShare", { cells: String(q.cells), all: String(q.all_cells), share: percent(q.share) })),
      ...indexRows(city.properties.index).map(([index, says]) => h("p", { class: "quiet" }, `${index}: ${says}`)),
    ];
  }

  function renderLast(): void {
    parts.last.textContent = lastReading ? t("map.lastReading", { time: clock(lastReading, zone(), true) }) : "";
  }

  function renderStatus(): void {
    const words = failure ? t("frame.failed", { detail: failure }) : lost ? t("frame.lost") : back ? t("frame.back") : "";
    frame.say(words, failure !== null || lost);
  }

  function renderTables(): void {
    if (details.open) fill(parts.tables, tables({ view, when: when(), grid, districts, stations, zone: zone(), choose }));
  }

  function renderCard(scale: readonly Step[]): void {
    const body = cardBody({ choice: shown(), zone: zone(), legend: scale });
    parts.card.hidden = body === null;
    if (!view.chosen || !body) return parts.card.replaceChildren();
    const { kind, id } = view.chosen;
    const heading = kind === "district" ? id : t(`map.${kind}`, { id: short(id) });
    fill(
      parts.card,
      h(
        "div",
        { class: "card-head" },
        h("h2", { tabindex: "-1", "data-key": "card" }, heading),
        h("button", { type: "button", class: "close", "data-key": "close", "aria-label": t("map.close"), click: () => choose(null) }, "×"),
      ),
      body,
    );
  }

  function cardBody(around: card.Around): HTMLElement | null {
    const { kind, id } = view.chosen ?? { kind: null, id: "" };
    if (kind === "cell") {
      const found = grid?.features.find((f) => f.properties.cell === id);
      return found ? card.cell(found.properties, more?.cell === id ? more : null, around) : null;
    }
    if (kind === "district") {
      const found = districts?.features.find((f) => f.properties.name === id);
      return found ? card.district(found.properties, around) : null;
    }
    const found = byId.get(id);
    return found ? card.station(id, found.properties, around) : null;
  }

  // remember keeps the view in the address; passing changes leave no trace to go back to.
  function remember(next: View, passing = false): void {
    view = next;
    const address = location.pathname + write(view, location.search) + location.hash;
    if (passing) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }

  addEventListener("popstate", () => {
    view = read(location.search);
    map?.place(view.place);
    applied(true);
  });

  let opener: Element | null = null;

  // choose opens a card, or closes it; the focus goes there and back.
  function choose(chosen: Chosen | null): void {
    if (!chosen && !view.chosen) return;
    if (chosen && !view.chosen) opener = document.activeElement;
    remember({ ...view, chosen });
    map?.mark(chosen);
    more = null;
    renderCard(currentSteps());
    if (chosen) parts.card.querySelector("h2")?.focus();
    else if (opener instanceof HTMLElement) again(opener)?.focus();
    if (chosen?.kind === "cell") void loadMore();
  }

  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") choose(null);
  });

  function change(part: Partial<View>, passing = false): void {
    const next = { ...view, ...part };
    const other = next.layer !== view.layer || next.resolution !== view.resolution;
    if (other && view.chosen && view.chosen.kind !== "station") next.chosen = null; // it is not drawn any more
    const values = next.quantity !== view.quantity || next.window !== view.window || next.time !== view.time || other;
    remember(next, passing);
    applied(values);
  }

  // applied shows a view that has changed.
  function applied(values: boolean): void {
    map?.mark(view.chosen);
    if (values) {
      grid = districts = more = null; // never another choice's values under this one's name
      size = 0;
      map?.grid(null, []);
      map?.districts(null, "", []);
    }
    draw();
    if (stations) map?.stations(stations, view.stations);
    render();
    if (values) void loadValues();
  }

  // draw puts values on the map.
  function draw(): void {
    const scale = currentSteps();
    if (grid) map?.grid(grid, scale);
    if (districts) map?.districts(districts, view.quantity, scale);
  }

  let asked = new AbortController();

  // loadValues asks for what the view shows, in the city's own cells where the server cannot give others.
  async function loadValues(): Promise<void> {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    const ask = async (): Promise<[City, Grid | null, Districts | null]> => {
      const areas = view.layer === "districts";
      return Promise.all([api.cityAt(view, signal), areas ? null : api.grid(shown(), signal), areas ? api.districts(view, signal) : null]);
    };
    try {
      const answer = await ask().catch(async (e: unknown) => {
        if (!(e instanceof api.Problem) || e.field !== "resolution" || size) throw e;
        size = (await frame.city).properties.grid_resolution;
        return ask();
      });
      if (signal.aborted) return;
      [city, grid, districts] = answer;
      lastReading = later(lastReading, city.properties.last_reading);
      failure = null;
      draw();
      render();
      if (view.chosen?.kind === "cell") await loadMore();
    } catch (e) {
      if (!signal.aborted) fail(e);
    }
  }

  async function loadMore(): Promise<void> {
    const asking = view.chosen;
    const { signal } = asked;
    if (asking?.kind !== "cell") return;
    try {
      const answer = await api.cell(asking.id, view, signal);
      if (signal.aborted || view.chosen?.id !== asking.id) return;
      more = answer;
      renderCard(currentSteps());
    } catch (e) {
      if (!signal.aborted) fail(e);
    }
  }

  let stationsAt = 0;

  async function loadStations(): Promise<void> {
    stationsAt = Date.now();
    stations = await api.stations();
    byId = new Map(stations.features.map((f) => [String(f.id), f]));
    map?.stations(stations, view.stations);
  }

  // load asks for everything, again after a while when that fails.
  async function load(): Promise<void> {
    try {
      await Promise.all([loadStations(), loadValues()]);
      render();
    } catch (e) {
      fail(e);
    }
  }

  let retry = 0;

  function fail(e: unknown): void {
    failure = e instanceof Error ? e.message : String(e);
    renderStatus();
    clearTimeout(retry);
    retry = window.setTimeout(() => void load(), retryAfter);
  }

  // follow lets values change by themselves, unless an older window is looked at.
  async function follow(): Promise<void> {
    if (view.time) return;
    if (Date.now() - stationsAt > stationsEvery) await loadStations().catch(fail);
    await loadValues();
  }

  function heard(reading: ReadingEvent): void {
    lastReading = later(lastReading, reading.time);
    renderLast();
    const station = byId.get(reading.station)?.properties;
    if (!station) return;
    station.last_seen = reading.time;
    for (const [quantity, v] of Object.entries(reading.values)) {
      const old = station.values[quantity];
      if (!old || old.time <= reading.time) station.values[quantity] = { value: v.value, flags: v.flags, time: reading.time, unit: old?.unit ?? "" };
    }
    if (view.chosen?.id === reading.station) renderCard(currentSteps());
  }

  listen({
    opened() {
      if (lost) {
        back = true;
        window.setTimeout(() => {
          back = false;
          renderStatus();
        }, thanks);
        void load();
      }
      lost = false;
      renderStatus();
    },
    lost() {
      lost = true;
      renderStatus();
    },
    grid: () => void follow(),
    reading: heard,
  });
  void load();
  void unfold();
  return { title: () => "", render };
}

const later = (a: string | null, b: string | null): string | null => (!a || (b && b > a) ? b : a);

// again is the element itself, or the one that took its place when the page was redrawn.
function again(element: HTMLElement): HTMLElement | null {
  const key = element.getAttribute("data-key");
  return element.isConnected || !key ? element : document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}
