// What the map page asks the API and receives from the live stream. Answers go into the state, then updates are called.
import * as api from "../api";
import type { City, Districts, Grid } from "../api";
import { ApiError, errorText, request } from "../client";
import { applyReading, clearValues, setCity, setStations, latest, shownView, stationsKey, stationsMoment, type State } from "./state";
import { listen } from "./stream";

const retryAfter = 5000; // milliseconds after a failed request
const reconnectedFor = 5000; // milliseconds for which the page says that it is connected again
const stationsEvery = 60_000; // milliseconds; between requests the stream updates the stations

// Updates are called when the state has changed.
export interface Updates {
  values(): void;
  stations(): void;
  details(): void; // of the chosen cell or station
  readings(): void;
  status(): void;
}

export interface Requests {
  all(): Promise<void>; // the values, then the stations, which are many; tried again when it fails
  values(): void; // of what the view shows
  details(): void;
  picture(time: string): Promise<() => void>; // of another hour; returns what shows it
  span(times: readonly string[]): Promise<void>; // of all pictures, for their legend
  failed(e: unknown): void; // says so, and tries again
}

export function requests(s: State, city: Promise<City>, updated: Updates): Requests {
  let pending = new AbortController();
  let stationsAt = 0;
  let retry = 0;

  function fail(e: unknown): void {
    s.failure = errorText(e);
    updated.status();
    clearTimeout(retry);
    retry = window.setTimeout(() => void all(), retryAfter);
  }

  async function all(): Promise<void> {
    await values();
    void stations();
  }

  async function stations(): Promise<void> {
    const key = stationsKey(s);
    stationsAt = Date.now();
    try {
      const answer = await api.stations(s.view.quantity, stationsMoment(s));
      if (key !== stationsKey(s)) return; // the view has changed
      setStations(s, answer, key);
      updated.stations();
    } catch (e) {
      fail(e);
    }
  }

  // values asks for cells where the city has no districts, and for cells of the city's size where the server has no others.
  async function values(): Promise<void> {
    pending.abort();
    pending = new AbortController();
    const { signal } = pending;
    try {
      if (s.view.layer === "districts" && !(await city).properties.districts) s.view = { ...s.view, layer: "grid" };
      const answer = await fetchWindow(s, signal).catch(async (e: unknown) => {
        if (!(e instanceof ApiError) || e.problem.field !== "resolution" || s.otherSize) throw e;
        s.otherSize = (await city).properties.grid_resolution;
        return fetchWindow(s, signal);
      });
      if (signal.aborted) return;
      setCity(s, answer[0]);
      [, s.grid, s.districts] = answer;
      s.lastReading = latest(s.lastReading, answer[0].properties.last_reading);
      s.failure = null;
      updated.values();
      void details();
      if (s.stationsOf && s.stationsOf !== stationsKey(s)) void stations();
    } catch (e) {
      if (!signal.aborted) fail(e);
    }
  }

  async function picture(time: string): Promise<() => void> {
    const answer = await fetchWindow({ ...s, view: { ...s.view, time } }, new AbortController().signal);
    return () => {
      pending.abort(); // what is on its way is of another hour
      pending = new AbortController();
      s.view = { ...s.view, time };
      clearValues(s);
      setCity(s, answer[0]);
      [, s.grid, s.districts] = answer;
      updated.values();
    };
  }

  // span requests the smallest and the largest mean of the hours, so that a colour means the same in all pictures.
  async function span([first = ""]: readonly string[]): Promise<void> {
    const { quantity } = s.view;
    const answer = await request("GET", `/api/v1/city?window=1h&quantity=${encodeURIComponent(quantity)}&from=${first}&format=csv`);
    const [head = "", ...rows] = (await answer.text()).trim().split("\n");
    const columns = ["min", "max"].map((name) => head.split(",").indexOf(name) - head.split(",").length); // names of cities may have commas
    const all = rows.flatMap((row) => columns.map((i) => Number(row.split(",").at(i)))).filter(Number.isFinite);
    s.span = all.length > 0 ? [Math.min(...all), Math.max(...all)] : [];
  }

  async function details(): Promise<void> {
    const { chosen } = s.view;
    const { signal } = pending;
    if (!chosen || chosen.kind === "district") return;
    try {
      const answer = await (chosen.kind === "cell" ? api.cell(chosen.id, s.view, signal) : api.station(chosen.id, signal));
      if (signal.aborted || s.view.chosen?.id !== chosen.id) return;
      [s.details, s.noDetails] = [answer, null];
      updated.details();
    } catch (e) {
      if (signal.aborted) return;
      if (!(e instanceof ApiError) || e.status >= 500) return fail(e);
      [s.details, s.noDetails] = [null, errorText(e)];
      updated.details();
    }
  }

  // refresh asks for current values, unless the view is of an older window.
  function refresh(): void {
    if (s.view.time) return;
    if (Date.now() - stationsAt > stationsEvery) void stations();
    void values();
  }

  function opened(): void {
    const lost = s.stream === "lost";
    if (lost) {
      window.setTimeout(() => {
        if (s.stream === "back") s.stream = "there";
        updated.status();
      }, reconnectedFor);
      void all();
    }
    if (lost) s.stream = "back";
    updated.status();
  }

  void api.deviations().then((answer) => {
    s.comparison = answer;
    updated.values();
  }, console.error); // the map is complete without it

  void city.then((now) => {
    const first = s.city === null && s.view.window === "live";
    setCity(s, s.city ?? now); // what there is now, where the view is of an hour without values
    for (const q of now.properties.quantities) s.units.set(q.quantity, q.unit);
    if (first) updated.values(); // the city's mean need not wait for the cells
  });

  listen({
    opened,
    lost() {
      s.stream = "lost";
      updated.status();
    },
    grid: refresh,
    readings(list) {
      for (const r of list) applyReading(s, r);
      updated.readings();
    },
  });
  return { all, details: () => void details(), values: () => void values(), picture, span, failed: fail };
}

// fetchWindow asks for the values of the view's window.
function fetchWindow(s: State, signal: AbortSignal): Promise<[City, Grid | null, Districts | null]> {
  const areas = s.view.layer === "districts";
  return Promise.all([
    api.cityAt(s.view, signal),
    areas ? null : api.grid(shownView(s), signal),
    areas ? api.districts(s.view, signal) : null,
  ]);
}
