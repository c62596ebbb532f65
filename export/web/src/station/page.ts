// The page of a station: its health, what it has measured, where it has been; with its key, its management.
import type { Frame, Page } from "../frame";
import { forgetStation } from "../mine/kept";
import { t } from "../language";
import { places } from "../map/surroundings";
import { darkScheme, forcedColours } from "../map/theme";
import { requests } from "./requests";
import { initialState, ownerOf, readPlot, title, writePlot } from "./state";
import "./station.css";
import { layout } from "./layout";

const backFor = 5000; // milliseconds for which the page says that the server is back

export function open(frame: Frame): Page {
  const s = initialState((frame.parts.id ?? "").toUpperCase(), ownerOf(location.hash), readPlot(location.search));
  const { render } = layout(frame.main, s, {
    plot(choice) {
      Object.assign(s, choice);
      history.replaceState(null, "", location.pathname + writePlot(s, location.search) + location.hash);
      void ask.plot();
    },
    changed: () => void ask.station(),
    remove(readings) {
      s.removed = readings;
      forgetStation(s.id);
      history.replaceState(null, "", location.pathname); // the key is no longer valid
      render();
      frame.main.querySelector("h1")?.focus();
    },
  });
  const ask = requests(s, render, (away) => {
    frame.setStatus(t(away ? "frame.lost" : "frame.back"), away);
    clearTimeout(clearing);
    if (!away) clearing = window.setTimeout(() => frame.setStatus(""), backFor);
  });

  let clearing = 0; // timer
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
  for (const choice of [darkScheme, forcedColours]) choice.addEventListener("change", render);
  return { title: () => title(s), render };
}
