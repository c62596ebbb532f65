// The layout of the map page: the city's value, the controls, the legend, the map, the card, the tables.
import { update, h } from "../dom";
import { snippet } from "../embed/snippet";
import type { Frame } from "../frame";
import { clock, percent, t } from "../language";
import * as card from "./card";
import type { Chosen } from "./view";
import { controls, type Change } from "./controls";
import { legend } from "./legend";
import { preview } from "./preview";
import { cellDetails, legendSteps, shownView, stationDetails, unit, windowText, zone, type State } from "./state";
import { tables } from "./table";
import { bigValue, indexRows, metres, findQuantity, shortCode } from "./text";

export interface Layout {
  readonly map: HTMLElement; // the place for the map
  readonly card: HTMLElement;
  render(): void;
  renderCard(): void;
  renderLast(): void;
  renderStatus(): void;
  hidePreview(): void; // once the map has drawn the values
}

// layout puts everything on the page. It reads the state and does not change it.
export function layout(frame: Frame, s: State, change: Change, choose: (chosen: Chosen | null) => void): Layout {
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
    drawPreview();
  });
  addEventListener("afterprint", () => previewShown || parts.sketch.replaceChildren());
  let previewShown = true; // until the map has drawn the values
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
    parts.note.textContent = s.otherSize ? t("map.otherSize", { size: metres(s.otherSize) }) : "";
    update(parts.figure, ...cityMean(s));
    renderLast();
    renderStatus();
    choices.show(s.view, s.city);
    update(parts.legend, legend(legendSteps(s), s.view.quantity, unit(s), s.view.stations));
    update(
      parts.embed,
      h("h2", {}, t("embed.heading")),
      h("p", { class: "quiet" }, t("embed.what")),
      snippet("city", s.view.quantity, t("embed.city")),
      snippet("map", s.view.quantity, t("embed.map")),
    );
    if (previewShown) drawPreview();
    renderTables();
    renderCard();
  }

  function drawPreview(): void {
    const { clientWidth, clientHeight } = parts.map;
    const picture = preview(s, clientWidth, clientHeight);
    if (picture) parts.sketch.replaceChildren(picture);
    if (picture) performance.mark("sketch"); // for tests and measurements
  }

  function hidePreview(): void {
    if (previewShown) parts.sketch.replaceChildren();
    previewShown = false;
  }

  function renderLast(): void {
    parts.last.textContent = s.lastReading ? t("map.lastReading", { time: clock(s.lastReading, zone(s), true) }) : "";
  }

  function renderStatus(): void {
    const stream = { there: "", lost: t("frame.lost"), back: t("frame.back") }[s.stream];
    frame.setStatus(s.failure ? t("frame.failed", { detail: s.failure }) : stream, s.failure !== null || s.stream === "lost");
  }

  function renderTables(): void {
    if (fold.open) values.show({ ...s, when: windowText(s), zone: zone(s) });
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
    update(
      parts.card,
      h("div", { class: "card-head" }, h("h2", { tabindex: "-1", "data-key": "card" }, heading(s.view.chosen)), close),
      body,
    );
  }

  return { map: parts.map, card: parts.card, render, renderCard, renderLast, renderStatus, hidePreview };
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

// cityMean makes the city's mean over the window.
function cityMean(s: State): HTMLElement[] {
  if (!s.city) return [h("p", { class: "quiet" }, t("frame.loading"))];
  const { quantities, last_reading, index } = s.city.properties;
  const q = findQuantity(quantities, s.view.quantity);
  if (!q) return [h("p", { class: "quiet" }, last_reading ? t("map.noCityMean") : t("map.noReading"))];
  return [
    h("p", { class: "label" }, `${t("map.cityMean")}, ${windowText(s)}`),
    bigValue(q.mean, q.quantity, q.unit, legendSteps(s)),
    h("p", { class: "quiet" }, t("map.cityShare", { cells: String(q.cells), all: String(q.all_cells), share: percent(q.share) })),
    ...indexRows(index).map(([name, says]) => h("p", { class: "quiet" }, `${name}: ${says}`)),
  ];
}

const heading = ({ kind, id }: Chosen): string => (kind === "district" ? id : t(`map.${kind}`, { id: shortCode(id) }));

function cardBody(s: State): HTMLElement | null {
  if (!s.view.chosen) return null;
  const { kind, id } = s.view.chosen;
  const context = { choice: shownView(s), zone: zone(s), legend: legendSteps(s) };
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
