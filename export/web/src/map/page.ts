// The map page: it puts state, questions, board and map together, and keeps what is shown in the address.
import type { Frame, Page } from "../frame";
import { t } from "../language";
import { h } from "../dom";
import { asking } from "./requests";
import { board } from "./layout";
import type { CityMap } from "./airmap";
import { read, write, type Chosen, type View } from "./view";
import "./map.css";
import { beginning, forget, scale, type State } from "./state";
import { areaWords } from "./words";

export function open(frame: Frame): Page {
  const s = beginning(read(location.search));
  const page = board(frame, s, change, choose);
  const ask = asking(s, frame.city, {
    values() {
      draw();
      render();
    },
    stations() {
      performance.mark("stations"); // for who waits: they are known
      if (s.stations) map?.stations(s.stations, s.view.stations);
      render();
    },
    more: page.renderCard,
    readings() {
      page.renderLast();
      if (s.view.chosen?.kind === "station") page.renderCard();
    },
    status: page.renderStatus,
  });
  let map: CityMap | null = null;
  let opener: Element | null = null; // of the card

  // unfold brings the map's library, which is large: words and values stand there before it, unless they are slow.
  async function unfold(): Promise<void> {
    try {
      const { create } = await import("./airmap");
      map = create(page.map, {
        choose,
        drawn: page.unveil,
        moved: (place) => remember(s, { ...s.view, place }, true),
        words: (area) => areaWords(area, s.grid, s.districts, s.view.quantity),
      });
    } catch {
      return page.map.replaceChildren(h("p", { class: "trouble" }, t("map.mapStill")));
    }
    draw();
    if (s.stations) map.stations(s.stations, s.view.stations);
    map.mark(s.view.chosen);
    render();
    map.city(await frame.city);
    if (s.view.place) map.place(s.view.place);
  }

  function render(): void {
    map?.speak(t("map.map"));
    page.render();
  }

  // draw puts values on the map.
  function draw(): void {
    if (s.grid) map?.grid(s.grid, scale(s));
    if (s.districts) map?.districts(s.districts, s.view.quantity, scale(s));
  }

  // choose opens a card, or closes it; the focus goes there and back.
  function choose(chosen: Chosen | null): void {
    if (!chosen && !s.view.chosen) return;
    if (chosen && !s.view.chosen) opener = document.activeElement;
    remember(s, { ...s.view, chosen });
    map?.mark(chosen);
    s.more = s.nothing = null;
    page.renderCard();
    if (chosen) page.card.querySelector("h2")?.focus();
    else if (opener instanceof HTMLElement) again(opener)?.focus();
    ask.more();
  }

  function change(part: Partial<View>, passing = false): void {
    const { view } = s;
    const next = { ...view, ...part };
    const other = next.layer !== view.layer || next.resolution !== view.resolution;
    if (other && view.chosen && view.chosen.kind !== "station") next.chosen = null; // it is not drawn any more
    remember(s, next, passing);
    applied(next.quantity !== view.quantity || next.window !== view.window || next.time !== view.time || other);
  }

  // applied shows a view that has changed.
  function applied(values: boolean): void {
    map?.mark(s.view.chosen);
    if (values) {
      forget(s);
      map?.grid(null, []);
      map?.districts(null, "", []);
    }
    draw();
    if (s.stations) map?.stations(s.stations, s.view.stations);
    render();
    if (values) ask.values();
  }

  addEventListener("popstate", () => {
    s.view = read(location.search);
    map?.place(s.view.place);
    applied(true);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") choose(null);
  });
  void Promise.race([ask.all(), new Promise((slow) => setTimeout(slow, 1000))]).then(unfold);
  return { title: () => "", render };
}

// remember keeps the view in the address; passing changes leave no trace to go back to.
function remember(s: State, view: View, passing = false): void {
  s.view = view;
  const address = location.pathname + write(view, location.search) + location.hash;
  if (passing) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
}

// again is the element itself, or the one that took its place when the page was redrawn.
function again(element: HTMLElement): HTMLElement | null {
  const key = element.getAttribute("data-key");
  return element.isConnected || !key ? element : document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}
