// The map page: it connects state, requests, layout and map, and keeps the view in the address.
import type { Frame, Page } from "../frame";
import { t } from "../language";
import { requests } from "./requests";
import { layout } from "./layout";
import { AirMap } from "./airmap";
import { Player } from "./play";
import { hours, iso, readView, writeView, type Chosen, type View } from "./view";
import "./map.css";
import { initialState, clearValues, legendSteps, zone, type State } from "./state";
import { sharedMap } from "./shared";
import { places } from "./surroundings";
import { whatText } from "./text";

export function open(frame: Frame): Page {
  const s = initialState(readView(location.search));
  const page = layout(
    frame,
    s,
    change,
    choose,
    () => sharedMap(s, map),
    () => player.toggle(),
  );
  const map: AirMap = new AirMap(page.map, {
    choose,
    moved: (place) => saveView(s, { ...s.view, place }, true),
    describe: (what) => whatText(what, s),
  });
  const ask = requests(s, frame.city, {
    values() {
      if (s.city) map.city(s.city);
      draw();
      render();
      reveal();
    },
    stations() {
      performance.mark("stations"); // for tests and measurements
      if (s.stations) map.stations(s.stations, s.view.stations);
      render();
      reveal();
    },
    details() {
      page.renderCard();
      reveal();
    },
    readings() {
      page.renderLast();
      if (s.view.chosen?.kind === "station") page.renderCard();
    },
    status: page.renderStatus,
  });
  const player = new Player({
    times: () => [...hours("", zone(s), Date.now()).slice(0, -1).map(iso), ""],
    now: () => s.view.time,
    load: ask.picture,
    begin: ask.span,
    pause: () => (reducedMotion.matches ? slow : fast),
    changed() {
      if (!player.playing) {
        s.span = [];
        saveView(s, s.view, true);
        ask.details();
      }
      page.renderPlaying(player.playing);
      draw();
      render();
    },
    failed: (e) => ask.failed(e),
  });
  let sliding = false; // a slider is moving
  let focusedBefore: Element | null = null; // before the card was opened
  let revealed = s.view.place && s.view.chosen; // what the map was moved for already, or that its address says where it is

  function render(): void {
    map.setLabel(t("map.map"));
    page.render();
  }

  // draw puts the values on the map.
  function draw(): void {
    if (s.grid) map.grid(s.grid, legendSteps(s));
    if (s.districts) map.districts(s.districts, s.view.quantity, legendSteps(s));
  }

  // reveal moves the map once the card is as large as it will be, and what it is of is on the map, so that it does not cover it.
  function reveal(): void {
    if (revealed === s.view.chosen || page.card.hidden) return;
    if (map.reveal(page.covered())) revealed = s.view.chosen;
  }

  // choose opens the card, or closes it for null, and moves the focus there and back.
  function choose(chosen: Chosen | null): void {
    if (!chosen && !s.view.chosen) return;
    if (chosen && !s.view.chosen) focusedBefore = document.activeElement;
    saveView(s, { ...s.view, chosen });
    map.highlight(chosen);
    s.details = s.noDetails = null;
    page.renderCard();
    if (chosen?.kind === "district") reveal();
    if (chosen) page.card.querySelector("h2")?.focus();
    else if (focusedBefore instanceof HTMLElement) inPage(focusedBefore)?.focus();
    ask.details();
  }

  // change takes what a person has changed. A movement of a slider makes one entry in the browser's history, at its start.
  function change(part: Partial<View>, passing = false): void {
    player.stop();
    const { view } = s;
    const next = { ...view, ...part };
    const other = next.layer !== view.layer || next.resolution !== view.resolution;
    if (other && view.chosen && view.chosen.kind !== "station") next.chosen = null; // the new view does not draw it
    saveView(s, next, sliding);
    sliding = passing;
    show(next.quantity !== view.quantity || next.window !== view.window || next.time !== view.time || other);
  }

  // show shows a view that has changed; values says whether it needs others.
  function show(values: boolean): void {
    map.highlight(s.view.chosen);
    if (values) {
      clearValues(s);
      map.grid(null, []);
      map.districts(null, "", []);
    }
    draw();
    if (s.stations) map.stations(s.stations, s.view.stations);
    render();
    if (values) ask.values();
  }

  addEventListener("popstate", () => {
    player.stop();
    s.view = readView(location.search);
    map.moveTo(s.view.place);
    show(true);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") choose(null);
  });
  map.highlight(s.view.chosen);
  if (s.view.place) map.moveTo(s.view.place);
  void frame.city.then((city) => map.city(city));
  void places().then(render); // which cells and stations are named by
  page.resized(() => map.setInsets(page.insets()));
  void ask.all();
  return { title: () => "", render };
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const [fast, slow] = [500, 2500]; // milliseconds that an hour is shown

// saveView keeps the view in the state and in the address. A passing change makes no entry in the browser's history.
function saveView(s: State, view: View, passing = false): void {
  s.view = view;
  const address = location.pathname + writeView(view, location.search) + location.hash;
  if (passing) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
}

// inPage returns an element, or the one that replaced it when the page was rendered again.
function inPage(element: HTMLElement): HTMLElement | null {
  const key = element.getAttribute("data-key");
  return element.isConnected || !key ? element : document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}
