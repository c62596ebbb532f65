// The layout of the map page: the city's value, the controls, the legend, the map, the card, the tables.
import type { City } from "../api";
import { update, h, swatch } from "../dom";
import { snippet } from "../embed/snippet";
import type { Frame } from "../frame";
import { amount, clock, name, percent, t, type Key } from "../language";
import { lookBackButton, type Subject } from "../lookback/button";
import { shareButton, type Shared } from "../share/button";
import { noInsets, type Insets } from "./camera";
import * as card from "./card";
import type { Chosen } from "./view";
import { controls, type Change } from "./controls";
import { colourOf, headlineIndex } from "./colours";
import { legend } from "./legend";
import { sheet } from "./sheet";
import {
  cellDetails,
  deviation,
  legendScale,
  legendSteps,
  shownView,
  stationDetails,
  stationsMoment,
  unit,
  windowText,
  zone,
  type State,
} from "./state";
import { tables } from "./table";
import { besideText, bigValue, cellName, indexRows, indexText, metres, findQuantity, shortName } from "./text";

export interface Layout {
  readonly map: HTMLElement; // the place for the map
  readonly card: HTMLElement;
  render(): void;
  renderCard(): void;
  renderLast(): void;
  renderStatus(): void;
  renderPlaying(playing: boolean): void;
  covered(): Insets; // what the card covers of the map
  insets(): Insets; // what covers the map without a card
  resized(then: () => void): void; // calls then now and whenever the map has another size
}

// layout puts everything on the page. It reads the state and does not change it.
export function layout(
  frame: Frame,
  s: State,
  change: Change,
  choose: (chosen: Chosen | null) => void,
  shared: () => Shared,
  play: () => void,
): Layout {
  const parts = {
    title: h("h1", {}),
    line: h("p", { class: "line" }),
    figure: h("section", { class: "figure" }),
    last: h("p", { class: "quiet last" }),
    looks: h("div", { class: "row no-print" }),
    note: h("p", { class: "hint", role: "status" }),
    legend: h("div", {}),
    map: h("div", { class: "map" }),
    card: h("section", { class: "card", hidden: true }),
    embed: h("div", { class: "embeds no-print" }),
    summary: h("summary", {}),
    skip: h("a", { class: "skip", href: "#table" }),
    toTable: h("a", { class: "to-table", href: "#table" }),
  };
  const choices = controls(change, play);
  const values = tables(choose);
  const fold = foldable(parts.summary, values.element, renderTables, () => values.finish());
  const now = h("div", { class: "now" }, parts.figure, parts.last, parts.looks);
  const side = sheet(now, choices.element, parts.note, parts.legend, parts.toTable);
  const head = h("div", { class: "head" }, parts.title, parts.line);
  const panes = h("div", { class: "panes" }, head, side.element, h("div", { class: "stage" }, parts.map, parts.card));
  for (const link of [parts.skip, parts.toTable])
    link.addEventListener("click", () => {
      fold.open = true;
      parts.summary.focus();
    });
  frame.main.replaceChildren(parts.skip, panes, fold, parts.embed);

  function render(): void {
    parts.title.textContent = t("map.heading", { city: s.city?.properties.name ?? "" }).trim();
    parts.skip.textContent = t("map.skip");
    parts.toTable.textContent = t("map.toTable");
    parts.summary.textContent = t("map.table");
    parts.note.textContent = s.otherSize ? t("map.otherSize", { size: metres(s.otherSize) }) : "";
    update(parts.figure, ...cityMean(s));
    side.setTitle([shortName(s.view.quantity), windowName(s), areaName(s)].join(" · "));
    renderLast();
    renderStatus();
    choices.show(s.view, s.city, [...s.units.keys()]);
    update(parts.legend, legend(legendSteps(s), legendScale(s), unit(s), s.view.stations, hasOfficial(s)));
    update(
      parts.looks,
      ...(s.city ? [lookBackButton(citySubject(s.city, s.view.quantity), s.city), shareButton(shared, s.city, "map")] : []),
    );
    update(
      parts.embed,
      h("h2", {}, t("embed.heading")),
      h("p", { class: "quiet" }, t("embed.what")),
      snippet("city", s.view.quantity, t("embed.city")),
      snippet("map", s.view.quantity, t("embed.map")),
    );
    renderTables();
    renderCard();
  }

  function renderLast(): void {
    update(parts.line, ...line(s));
    parts.last.textContent = s.lastReading ? t("map.lastReading", { time: clock(s.lastReading, zone(s), true) }) : "";
  }

  function renderStatus(): void {
    const stream = { there: "", lost: t("frame.lost"), back: t("frame.back") }[s.stream];
    frame.setStatus(s.failure ? t("frame.failed", { detail: s.failure }) : stream, s.failure !== null || s.stream === "lost");
  }

  // renderPlaying takes the sheet away from the map, on which the hours are seen.
  function renderPlaying(playing: boolean): void {
    choices.showPlaying(playing);
    if (playing) side.close();
  }

  function renderTables(): void {
    if (fold.open) values.show({ ...s, when: windowText(s), zone: zone(s), index: headlineIndex(s.city) });
  }

  function renderCard(): void {
    const body = cardBody(s);
    if (body && parts.card.hidden) side.close();
    parts.card.hidden = body === null;
    if (!s.view.chosen || !body) return parts.card.replaceChildren();
    const close = h(
      "button",
      { type: "button", class: "close", "data-key": "close", "aria-label": t("map.close"), click: () => choose(null) },
      "×",
    );
    update(
      parts.card,
      h("div", { class: "card-head" }, h("h2", { tabindex: "-1", "data-key": "card" }, heading(s.view.chosen)), close),
      body,
      h(
        "p",
        { class: "row no-print" },
        lookBackButton({ place: s.view.chosen, title: heading(s.view.chosen), quantity: s.view.quantity }, s.city),
      ),
    );
  }

  // covered compares where the card and the map are: it lies beside its left edge, or on a phone at its lower one.
  function covered(): Insets {
    if (parts.card.hidden) return insets();
    const [map, card] = [parts.map.getBoundingClientRect(), parts.card.getBoundingClientRect()];
    return card.width > map.width / 2
      ? { ...noInsets, bottom: Math.max(0, map.bottom - card.top) }
      : { ...noInsets, left: Math.max(0, card.right - map.left) };
  }

  const insets = (): Insets => ({ ...noInsets, bottom: side.height() });

  // resized also says how much of the screen is above the map, so that it fills the rest.
  function resized(then: () => void): void {
    const place = (): void => {
      panes.style.setProperty("--above", `${Math.round(panes.getBoundingClientRect().top + scrollY)}px`);
      then();
    };
    for (const element of [panes, ...document.querySelectorAll(".top")]) new ResizeObserver(place).observe(element);
  }

  return {
    map: parts.map,
    card: parts.card,
    render,
    renderCard,
    renderLast,
    renderStatus,
    renderPlaying,
    covered,
    insets,
    resized,
  };
}

// foldable makes the fold with the tables. They are filled when it is open, and completely before printing.
function foldable(summary: HTMLElement, content: HTMLElement, unfolded: () => void, finish: () => void): HTMLDetailsElement {
  const fold = h("details", { id: "table", toggle: unfolded }, summary, content);
  let opened = false; // for printing, not by a person
  addEventListener("beforeprint", () => {
    opened = !fold.open;
    fold.open = true;
    unfolded();
    finish();
  });
  addEventListener("afterprint", () => {
    if (opened) fold.open = false;
  });
  return fold;
}

// line says the city's air in a line, for phones: "PM2.5 · good · 5.4 µg/m³ · 10:54".
function line(s: State): (Node | string)[] {
  if (nobodyYet(s)) return [h("a", { href: "/register", "data-key": "first" }, t("map.firstStation"))];
  const q = s.city && findQuantity(s.city.properties.quantities, s.view.quantity);
  if (!q) return [s.city ? t("map.noCityMean") : t("frame.loading")];
  const index = headlineIndex(s.city);
  const time = s.view.window === "live" ? s.lastReading && clock(s.lastReading, zone(s)) : windowText(s);
  const rest = [amount(q.mean, q.quantity, q.unit), time].filter(Boolean).join(" · ");
  if (!q[index]) return [`${shortName(q.quantity)} · ${rest}`];
  return [
    `${shortName(q.quantity)} · `,
    swatch(colourOf(legendSteps(s), q.mean)),
    h("strong", {}, indexText(index, q[index])),
    ` · ${rest}`,
  ];
}

const citySubject = ({ properties }: City, quantity: string): Subject => ({
  place: { kind: "city", id: "" },
  title: properties.name,
  quantity,
});

const windowName = (s: State): string => t(`map.window_${s.view.window}` as Key);

const areaName = ({ view }: State): string =>
  view.layer === "districts" ? t("map.districts") : t("map.cellsOf", { size: metres(view.resolution) });

// nobodyYet reports whether the city has no station at all.
const nobodyYet = (s: State): boolean => s.stations?.features.length === 0 && !stationsMoment(s);

// invitation asks the first visitor of a city without stations to register one, and says how.
const invitation = (): HTMLElement[] => [
  h("h2", {}, t("map.firstStation")),
  h("ol", { class: "steps" }, ...(["firstPlace", "firstKit", "firstValue"] as const).map((step) => h("li", {}, t(`map.${step}`)))),
  h("p", {}, h("a", { class: "button", href: "/register", "data-key": "register" }, t("map.firstDo"))),
];

const hasOfficial = ({ stations }: State): boolean => stations?.features.some((f) => f.properties.official) === true;

// beside says what the city's values are worth beside official instruments, or that nothing has been compared yet.
function beside(s: State): HTMLElement | null {
  const found = deviation(s);
  const text = found ? besideText(found) : s.comparison && s.view.quantity.startsWith("pm") ? t("comparison.notYet") : null;
  if (!text) return null;
  return h("p", { class: "quiet" }, `${text} `, h("a", { href: "/comparison", "data-key": "comparison" }, t("comparison.more")));
}

// cityMean makes the city's mean over the window, what it means for people, and how certain it is.
function cityMean(s: State): (HTMLElement | null)[] {
  if (nobodyYet(s)) return invitation();
  if (!s.city) return [h("p", { class: "quiet" }, t("frame.loading"))];
  const { quantities, last_reading, index: indices } = s.city.properties;
  const q = findQuantity(quantities, s.view.quantity);
  if (!q) return [h("p", { class: "quiet" }, last_reading ? t("map.noCityMean") : t("map.noReading"))];
  const index = headlineIndex(s.city);
  const [shown, ...others] = indexRows(indices, index).map(([name, says]) => h("p", { class: "quiet" }, `${name}: ${says}`));
  return [
    h("p", { class: "label" }, `${name(q.quantity)}, ${windowText(s)}`),
    bigValue(q.mean, q.quantity, q.unit, q[index] ? legendSteps(s) : []),
    index === "eaqi" && q.eaqi ? h("p", { class: "advice" }, t(`advice.class${q.eaqi}` as Key)) : null,
    shown ?? null,
    h("p", { class: "quiet" }, t("map.cityShare", { cells: String(q.cells), all: String(q.all_cells), share: percent(q.share) })),
    beside(s),
    h(
      "details",
      { class: "values" },
      h("summary", { "data-key": "indices" }, t(index === "eaqi" ? "map.indices" : "map.otherIndex")),
      ...others,
      index === "eaqi" ? h("p", { class: "quiet" }, t("advice.source")) : null,
    ),
  ];
}

const heading = ({ kind, id }: Chosen): string => (kind === "district" ? id : kind === "cell" ? cellName(id) : t("map.station", { id }));

function cardBody(s: State): HTMLElement | null {
  if (!s.view.chosen) return null;
  const { kind, id } = s.view.chosen;
  const context = { choice: shownView(s), zone: zone(s), legend: legendSteps(s), index: headlineIndex(s.city), deviation: deviation(s) };
  if (s.noDetails !== null) return card.note(t("embed.nothing", { detail: s.noDetails }));
  if (kind === "station") {
    const found = stationDetails(s);
    return found ? card.station(id, found.properties, context) : card.note(t("frame.loading"));
  }
  if (!s.grid && !s.districts) return card.note(t("frame.loading"));
  if (kind === "cell") {
    const found = s.grid?.features.find((f) => f.properties.cell === id);
    return found ? card.cell(found.properties, cellDetails(s), context) : card.empty(cellDetails(s), context);
  }
  const found = s.districts?.features.find((f) => f.properties.name === id);
  return found ? card.district(found.properties, context) : card.note(t("map.noCells"));
}
