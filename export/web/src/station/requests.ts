// What the page of a station asks the API. Answers go into the state, then render is called.
import * as api from "../api";
import { ApiError, errorText } from "../client";
import { t } from "../language";
import { official } from "./official";
import { readings, series } from "./series";
import { quantities, type State } from "./state";
import { watch } from "./watch";

export interface Requests {
  station(): Promise<void>; // what is public of it
  plot(): Promise<void>; // the values of the chosen quantity and period
  comparison(): Promise<void>; // of the city's stations with official instruments
  follow(): void; // the station's health and its readings, until it is removed
}

const retryAfter = 1000; // milliseconds

// requests calls away with whether the server does not answer, when that changes.
export function requests(s: State, render: () => void, away: (is: boolean) => void = () => {}): Requests {
  let plots = 0; // number of requests, so that an answer that comes after a later request is ignored

  async function station(): Promise<void> {
    const before = s.station;
    try {
      s.station = await api.station(s.id, undefined, s.owner?.key);
      if (!s.quantity || !before) void plot();
    } catch (e) {
      s.station = null; // one that waits for approval or is gone is not public
      if (e instanceof ApiError && e.status !== 404) s.failure = () => errorText(e);
    }
    render();
  }

  // plot asks again soon for the first values of a station: they are told at once, and stored a moment later.
  async function plot(tries = 3): Promise<void> {
    const asked = ++plots;
    s.quantity ||= quantities(s)[0] ?? "";
    if (!s.quantity) return;
    const { quantity, period } = s;
    const now = new Date();
    s.plotting = true;
    render();
    try {
      const own = series(s.id, quantity, period, now, s.owner?.key);
      const [means, beside, single] = await Promise.all([
        own,
        s.station && official(s.station, own, quantity, period, now).catch(() => null), // the plot is complete without it
        period === "24h" ? readings(s.id, quantity, now, s.station?.properties.interval_seconds ?? 0, s.owner?.key) : null,
      ]);
      if (asked !== plots) return;
      [s.plotting, s.plotted, s.plotFailure] = [false, { series: means, readings: single, official: beside, period }, null];
      if (single?.at.length === 0 && tries > 1 && s.station?.properties.values[quantity])
        setTimeout(() => asked === plots && void plot(tries - 1), retryAfter);
    } catch (e) {
      if (asked !== plots) return;
      s.plotting = false;
      s.plotFailure = () => t("frame.failed", { detail: errorText(e) });
    }
    render();
  }

  let lost = false;
  function setLost(now: boolean): void {
    if (now !== lost) away(now);
    lost = now;
  }

  function follow(): void {
    const end = watch(s.id, () => s.owner?.key, {
      reading: () => void station(),
      health(found) {
        if (s.removed) return end();
        setLost(false);
        [s.health, s.failure] = [found, null];
        render();
      },
      failed(e) {
        if (s.removed) return end();
        setLost(!(e instanceof ApiError) || e.status >= 500);
        s.failure = () => (e instanceof ApiError && e.status === 404 ? t("station.none", { id: s.id }) : errorText(e));
        render();
      },
    });
  }

  // comparison may fail: the page is complete without it.
  async function comparison(): Promise<void> {
    s.comparison = await api.deviations().catch(() => null);
    render();
  }

  return { station, plot, follow, comparison };
}
