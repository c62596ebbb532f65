// What the map page asks of the API and hears of the stream. Answers go into the state; told hears what became new.
import * as api from "../api";
import type { City, Districts, Grid } from "../api";
import { Refused, words } from "../client";
import { hear, keepStations, later, shown, type State } from "./state";
import { listen } from "./stream";

const retryAfter = 5000; // milliseconds after a failed request
const thanks = 5000; // milliseconds for which a connection that is back is mentioned
const stationsEvery = 60_000; // milliseconds; between, the stream says what stations measure

export interface Told {
  values(): void;
  stations(): void;
  more(): void; // of the chosen cell or station
  readings(): void;
  status(): void;
}

export interface Asking {
  all(): Promise<void>; // the values, then the stations, which are many; again after a while when that fails
  values(): void; // of what the view shows
  more(): void;
}

export function asking(s: State, city: Promise<City>, told: Told): Asking {
  let asked = new AbortController();
  let stationsAt = 0;
  let retry = 0;

  function fail(e: unknown): void {
    s.failure = words(e);
    told.status();
    clearTimeout(retry);
    retry = window.setTimeout(() => void all(), retryAfter);
  }

  async function all(): Promise<void> {
    await values();
    void stations();
  }

  async function stations(): Promise<void> {
    const { quantity } = s.view;
    stationsAt = Date.now();
    try {
      const answer = await api.stations(quantity);
      if (quantity !== s.view.quantity) return; // another has been asked for
      keepStations(s, answer, quantity);
      told.stations();
    } catch (e) {
      fail(e);
    }
  }

  // values come in cells where there are no districts, and in the city's own where the server cannot give others.
  async function values(): Promise<void> {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      if (s.view.layer === "districts" && !(await city).properties.districts) s.view = { ...s.view, layer: "grid" };
      const answer = await windowOf(s, signal).catch(async (e: unknown) => {
        if (!(e instanceof Refused) || e.problem.field !== "resolution" || s.size) throw e;
        s.size = (await city).properties.grid_resolution;
        return windowOf(s, signal);
      });
      if (signal.aborted) return;
      [s.city, s.grid, s.districts] = answer;
      s.lastReading = later(s.lastReading, s.city.properties.last_reading);
      s.failure = null;
      told.values();
      void more();
      if (s.listed && s.listed !== s.view.quantity) void stations();
    } catch (e) {
      if (!signal.aborted) fail(e);
    }
  }

  async function more(): Promise<void> {
    const { chosen } = s.view;
    const { signal } = asked;
    if (!chosen || chosen.kind === "district") return;
    try {
      const answer = await (chosen.kind === "cell" ? api.cell(chosen.id, s.view, signal) : api.station(chosen.id, signal));
      if (signal.aborted || s.view.chosen?.id !== chosen.id) return;
      [s.more, s.nothing] = [answer, null];
      told.more();
    } catch (e) {
      if (signal.aborted) return;
      if (!(e instanceof Refused) || e.status >= 500) return fail(e);
      [s.more, s.nothing] = [null, words(e)];
      told.more();
    }
  }

  // follow lets values change by themselves, unless an older window is looked at.
  function follow(): void {
    if (s.view.time) return;
    if (Date.now() - stationsAt > stationsEvery) void stations();
    void values();
  }

  function opened(): void {
    const lost = s.stream === "lost";
    if (lost) {
      window.setTimeout(() => {
        if (s.stream === "back") s.stream = "there";
        told.status();
      }, thanks);
      void all();
    }
    if (lost) s.stream = "back";
    told.status();
  }

  listen({
    opened,
    lost() {
      s.stream = "lost";
      told.status();
    },
    grid: follow,
    readings(list) {
      for (const r of list) hear(s, r);
      told.readings();
    },
  });
  return { all, more: () => void more(), values: () => void values() };
}

// windowOf is what the view shows, over its window.
function windowOf(s: State, signal: AbortSignal): Promise<[City, Grid | null, Districts | null]> {
  const areas = s.view.layer === "districts";
  return Promise.all([api.cityAt(s.view, signal), areas ? null : api.grid(shown(s), signal), areas ? api.districts(s.view, signal) : null]);
}
