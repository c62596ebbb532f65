// What stands around the map: the city's value, the choices, the legend, the card, the tables.
import { fill, h } from "../dom";
import { snippet } from "../embed/snippet";
import type { Frame } from "../frame";
import { clock, percent, t } from "../language";
import * as card from "./card";
import type { Chosen } from "./view";
import { controls, type Change } from "./controls";
import { legend } from "./legend";
import { sketch } from "./preview";
import { cellOf, scale, shown, stationOf, unit, when, zone, type State } from "./state";
import { tables } from "./table";
import { big, indexRows, metres, of, short } from "./words";

export interface Board {
  readonly map: HTMLElement; // where the map belongs
  readonly card: HTMLElement;
  render(): void;
  renderCard(): void;
  renderLast(): void;
  renderStatus(): void;
  unveil(): void; // the map has drawn the values
}

// board puts everything on the page. It reads the state and changes nothing in it.
export function board(frame: Frame, s: State, change: Change, choose: (chosen: Chosen | null) => void): Board {
  const parts = {
    title: h("h1", {}),
    figure: h("section", { class: "figure" }),
    last: h("p", { class: "quiet last" }),
    note: h("p", { class: "hint", role: "status" }),
    legend: h("div", {}),
    map: h("div", { class: "map" }),
    sketch: h("div", { class: "sketch", "aria-hidden": "true" }),
    card: h("section", { class: "card", hidden: true }),
    embed: h("div", { class: "embeds no-print" }),
    summary: h("summary", {}),
    skip: h("a", { class: "skip", href: "#table" }),
  };
  const choices = controls(change);
  const values = tables(choose);
  const fold = foldable(parts.summary, values.element, renderTables, () => {
    values.finish();
    draw();
  });
  addEventListener("afterprint", () => veiled || parts.sketch.replaceChildren());
  let veiled = true; // by the sketch, until the map has drawn the values
  parts.skip.addEventListener("click", () => {
    fold.open = true;
    parts.summary.focus();
  });
  frame.main.replaceChildren(
    parts.skip,
    h(
      "div",
      { class: "panes" },
      h(
        "div",
        { class: "side" },
        h("div", { class: "now" }, parts.title, parts.figure, parts.last),
        choices.element,
        parts.note,
        parts.legend,
      ),
      h("div", { class: "stage" }, h("div", { class: "spread" }, parts.map, parts.sketch), parts.card),
    ),
    fold,
    parts.embed,
  );

  function render(): void {
    parts.title.textContent = t("map.heading", { city: s.city?.properties.name ?? "" }).trim();
    parts.skip.textContent = t("map.skip");
    parts.summary.textContent = t("map.table");
    parts.note.textContent = s.size ? t("map.otherSize", { size: metres(s.size) }) : "";
    fill(parts.figure, ...figure(s));
    renderLast();
    renderStatus();
    choices.show(s.view, s.city);
    fill(parts.legend, legend(scale(s), s.view.quantity, unit(s), s.view.stations));
    fill(
      parts.embed,
      h("h2", {}, t("embed.heading")),
      h("p", { class: "quiet" }, t("embed.what")),
      snippet("city", s.view.quantity, t("embed.city")),
      snippet("map", s.view.quantity, t("embed.map")),
    );
    if (veiled) draw();
    renderTables();
    renderCard();
  }

  function draw(): void {
    const { clientWidth, clientHeight } = parts.map;
    const picture = sketch(s, clientWidth, clientHeight);
    if (picture) parts.sketch.replaceChildren(picture);
    if (picture) performance.mark("sketch"); // for who measures
  }

  function unveil(): void {
    if (veiled) parts.sketch.replaceChildren();
    veiled = false;
  }

  function renderLast(): void {
    parts.last.textContent = s.lastReading ? t("map.lastReading", { time: clock(s.lastReading, zone(s), true) }) : "";
  }

  function renderStatus(): void {
    const stream = { there: "", lost: t("frame.lost"), back: t("frame.back") }[s.stream];
    frame.say(s.failure ? t("frame.failed", { detail: s.failure }) : stream, s.failure !== null || s.stream === "lost");
  }

  function renderTables(): void {
    if (fold.open) values.show({ ...s, when: when(s), zone: zone(s) });
  }

  function renderCard(): void {
    const body = cardBody(s);
    parts.card.hidden = body === null;
    if (!s.view.chosen || !body) return parts.card.replaceChildren();
    const close = h(
      "button",
      { type: "button", class: "close", "data-key": "close", "aria-label": t("map.close"), click: () => choose(null) },
      "×",
    );
    fill(
      parts.card,
      h("div", { class: "card-head" }, h("h2", { tabindex: "-1", "data-key": "card" }, heading(s.view.chosen)), close),
      body,
    );
  }

  return { map: parts.map, card: parts.card, render, renderCard, renderLast, renderStatus, unveil };
}

// foldable is the fold with the tables. They are made when it is open, and all of them for a printer.
function foldable(summary: HTMLElement, content: HTMLElement, unfolded: () => void, finish: () => void): HTMLDetailsElement {
  const fold = h("details", { id: "table", toggle: unfolded }, summary, content);
  let opened = false; // for the printer, not by a person
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

// figure is the city's mean over the window.
function figure(s: State): HTMLElement[] {
  if (!s.city) return [h("p", { class: "quiet" }, t("frame.loading"))];
  const { quantities, last_reading, index } = s.city.properties;
  const q = of(quantities, s.view.quantity);
  if (!q) return [h("p", { class: "quiet" }, last_reading ? t("map.noCityMean") : t("map.noReading"))];
  return [
    h("p", { class: "label" }, `${t("map.cityMean")}, ${when(s)}`),
    big(q.mean, q.quantity, q.unit, scale(s)),
    h("p", { class: "quiet" }, t("map.cityShare", { cells: String(q.cells), all: String(q.all_cells), share: percent(q.share) })),
    ...indexRows(index).map(([name, says]) => h("p", { class: "quiet" }, `${name}: ${says}`)),
  ];
}

const heading = ({ kind, id }: Chosen): string => (kind === "district" ? id : t(`map.${kind}`, { id: short(id) }));

function cardBody(s: State): HTMLElement | null {
  if (!s.view.chosen) return null;
  const { kind, id } = s.view.chosen;
  const around = { choice: shown(s), zone: zone(s), legend: scale(s) };
  if (s.nothing !== null) return card.note(t("embed.nothing", { detail: s.nothing }));
  if (kind === "station") {
    const found = stationOf(s);
    return found ? card.station(id, found.properties, around) : card.note(t("frame.loading"));
  }
  if (!s.grid && !s.districts) return card.note(t("frame.loading"));
  if (kind === "cell") {
    const found = s.grid?.features.find((f) => f.properties.cell === id);
    return found ? card.cell(found.properties, cellOf(s), around) : card.empty(cellOf(s), around);
  }
  const found = s.districts?.features.find((f) => f.properties.name === id);
  return found ? card.district(found.properties, around) : card.note(t("map.noCells"));
}
