// The page of a station: its health, what it has measured, where it has been; with its key, its management.
import type { Frame, Page } from "../frame";
import { places } from "../map/surroundings";
import { requests } from "./requests";
import { initialState, ownerOf, title } from "./state";
import "./station.css";
import { layout } from "./layout";

export function open(frame: Frame): Page {
  const s = initialState((frame.parts.id ?? "").toUpperCase(), ownerOf(location.hash));
  const { render } = layout(frame.main, s, {
    plot(choice) {
      Object.assign(s, choice);
      void ask.plot();
    },
    changed: () => void ask.station(),
    remove(readings) {
      s.removed = readings;
      history.replaceState(null, "", location.pathname); // the key is no longer valid
      render();
      frame.main.querySelector("h1")?.focus();
    },
  });
  const ask = requests(s, render);

  void frame.city.then(async (city) => {
    s.city = city;
    void places().then(render); // to say near which it is
    await ask.station();
    ask.follow();
    void ask.comparison();
  });
  addEventListener("hashchange", () => {
    s.owner = ownerOf(location.hash);
    render();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
  return { title: () => title(s), render };
}
