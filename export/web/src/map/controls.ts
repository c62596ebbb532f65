// The controls: quantity, window and its time, areas, colours, stations. Their elements are never replaced, so that an open list
// or a slider in use is not disturbed by new values.
import type { City } from "../api";
import { update, h } from "../dom";
import { language, languages, name, t, type Key } from "../language";
import { dayOf, hours, iso, lastHour, onDate, recentHours, resolutions, type View } from "./view";
import { metres } from "./text";

export interface Controls {
  readonly element: HTMLElement;
  show(view: View, city: City | null, quantities: readonly string[]): void;
  showPlaying(playing: boolean): void;
}

// Change takes the part of a view that a person has changed; passing says that a slider is still moving.
export type Change = (part: Partial<View>, passing?: boolean) => void;

const windows = ["live", "1h", "24h"] as const;

export function controls(change: Change, play: () => void): Controls {
  let view: View;
  let zone = "UTC";
  const select = (id: string, chosen: (value: string) => void) =>
    h("select", { id, name: id, "data-key": id, change: (e) => chosen((e.target as HTMLSelectElement).value) });
  const quantity = select("quantity", (value) => change({ quantity: value }));
  const area = select("area", (value) =>
    change(value === "districts" ? { layer: "districts" } : { layer: "grid", resolution: Number(value) }),
  );
  const palette = select("colours", (value) => change({ palette: value === "safe" ? "safe" : "index" }));
  const stations = h("input", { type: "checkbox", id: "stations", change: () => change({ stations: stations.checked }) });
  const window = h("div", { class: "segments" });
  const slider = h("input", { type: "range", id: "hour", step: 1, min: 0, input: () => slideTo(true), change: () => slideTo(false) });
  const date = h("input", { id: "date", change: () => date.value && toDate(date.value) });
  const earlier = h("button", { type: "button", class: "button second step", click: () => step(-1) }, "‹");
  const later = h("button", { type: "button", class: "button second step", click: () => step(1) }, "›");
  const when = h("output", { for: "hour date" });
  const player = h("button", { type: "button", class: "button second play", click: play });
  let playing = false;
  const labels = {
    quantity: h("span", {}),
    area: h("span", {}),
    colours: h("span", {}),
    stations: h("span", {}),
    date: h("span", {}),
    window: h("legend", { class: "caption" }),
  };
  const slide = h("div", { class: "slide" }, earlier, slider, later);
  const time = h(
    "div",
    { class: "time", role: "group" },
    h("div", { class: "when" }, when),
    slide,
    player,
    h("label", {}, labels.date, date),
  );
  const element = h(
    "form",
    { class: "controls", submit: (e) => e.preventDefault() },
    h("label", {}, labels.quantity, quantity),
    h("fieldset", {}, labels.window, window),
    time,
    h("label", {}, labels.area, area),
    h("label", {}, labels.colours, palette),
    h("label", { class: "check" }, stations, labels.stations),
  );

  const offered = () => hours(view.time, zone, Date.now());
  const at = () => (view.time ? Date.parse(view.time) : lastHour(Date.now()));
  function slideTo(passing: boolean): void {
    const list = offered();
    const chosen = list[Number(slider.value)];
    if (chosen === undefined) return;
    // The end of the slider means now, which moves on by itself.
    change({ time: chosen === lastHour(Date.now()) ? "" : iso(chosen) }, passing);
  }
  function toDate(day: string): void {
    change({ time: view.window === "24h" ? `${day}T12:00:00Z` : onDate(view.time, day, zone, Date.now()) });
  }
  function step(by: number): void {
    const size = view.window === "24h" ? 24 * 3600_000 : 3600_000;
    const next = (view.window === "24h" ? (view.time ? at() : yesterday()) : at()) + by * size;
    const newest = view.window === "24h" ? yesterday() : lastHour(Date.now());
    change({ time: next >= newest ? "" : iso(next) });
  }

  return {
    element,
    show(now, city, known) {
      view = now;
      zone = city?.properties.zone ?? zone;
      setOptions(
        quantity,
        (known.includes(view.quantity) ? known : [view.quantity, ...known]).map((q) => [q, name(q)]),
        view.quantity,
      );
      setOptions(
        area,
        [
          ...resolutions.map((m): [string, string] => [String(m), t("map.cellsOf", { size: metres(m) })]),
          ...(city?.properties.districts ? [["districts", t("map.districts")] as [string, string]] : []),
        ],
        view.layer === "districts" ? "districts" : String(view.resolution),
      );
      setOptions(
        palette,
        [
          ["index", t("map.coloursIndex")],
          ["safe", t("map.coloursSafe")],
        ],
        view.palette,
      );
      stations.checked = view.stations;
      update(
        window,
        ...windows.map((w) =>
          h(
            "button",
            {
              type: "button",
              "data-key": `window-${w}`,
              "aria-pressed": String(w === view.window),
              click: () => change({ window: w, time: "" }),
            },
            t(`map.window_${w}` as Key),
          ),
        ),
      );
      setLabels();
      time.hidden = view.window === "live";
      if (!time.hidden) date.type = "date"; // not earlier, because the first date field of a page takes browsers long
      slide.classList.toggle("days", view.window === "24h");
      slider.hidden = player.hidden = view.window !== "1h";
      const list = offered();
      slider.max = String(list.length - 1);
      slider.value = String(list.indexOf(Math.floor(at() / 3600_000) * 3600_000));
      date.max = view.window === "24h" ? dayOf(yesterday(), zone) : dayOf(lastHour(Date.now()), zone);
      date.value = view.window === "24h" ? (view.time ? view.time.slice(0, 10) : dayOf(yesterday(), zone)) : dayOf(at(), zone);
      when.textContent = view.window === "1h" ? hourText(at(), zone) : view.window === "24h" ? dayText(date.value) : "";
      slider.setAttribute("aria-valuetext", when.textContent);
      later.toggleAttribute("disabled", view.time === "");
    },
    showPlaying(now) {
      playing = now;
      when.setAttribute("aria-live", playing ? "off" : "polite"); // nobody wants to hear each hour
      setLabels();
    },
  };

  function setLabels(): void {
    player.textContent = t(playing ? "play.stop" : "play.start");
    player.setAttribute("aria-label", playing ? t("play.stop") : `${t("play.start")}: ${t("play.what")}`);
    labels.quantity.textContent = t("map.quantity");
    labels.area.textContent = t("map.area");
    labels.colours.textContent = t("map.colours");
    labels.stations.textContent = t("map.showStations");
    labels.date.textContent = t("map.date");
    labels.window.textContent = t("map.window");
    time.setAttribute("aria-label", t("map.time"));
    slider.setAttribute("aria-label", t("map.slider", { hours: String(recentHours) }));
    earlier.setAttribute("aria-label", t(view.window === "24h" ? "map.dayBefore" : "map.hourBefore"));
    later.setAttribute("aria-label", t(view.window === "24h" ? "map.dayAfter" : "map.hourAfter"));
  }
}

// yesterday returns noon UTC of the last day that has ended; it lies in that day whatever the time zone.
const yesterday = (): number => Math.floor((Date.now() - 2 * 3600_000) / 86_400_000) * 86_400_000 - 43_200_000;

function setOptions(select: HTMLSelectElement, list: [string, string][], chosen: string): void {
  update(select, ...list.map(([value, text]) => h("option", { value }, text)));
  select.value = chosen;
}

// hourText returns an hour in a time zone, as "Tue 24 Nov, 10:00–11:00".
export function hourText(start: number, zone: string): string {
  const locale = languages[language()].locale;
  const time = (at: number) => new Date(at).toLocaleTimeString(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  const day = new Date(start).toLocaleDateString(locale, {
    timeZone: zone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
  });
  return `${day}, ${time(start)}–${time(start + 3600_000)}`;
}

// dayText returns a date with its weekday.
export const dayText = (date: string): string =>
  new Date(`${date}T12:00:00Z`).toLocaleDateString(languages[language()].locale, {
    timeZone: "UTC",
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
