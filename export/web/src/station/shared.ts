// What the page of a station shares: its plot, without the key of the management link.
import { name, t } from "../language";
import { asOf, type Shared } from "../share/button";
import { colour, content } from "./lines";
import { title, writePlot, zone, type State } from "./state";

// sharedPlot describes the plot that an element shows.
export function sharedPlot(s: State, shown: Element): Shared {
  return {
    title: `${title(s)}: ${name(s.quantity)}`,
    address: `${location.origin}/stations/${s.id}${writePlot(s, "")}`,
    embed: `station/${s.id}`,
    query: `quantity=${encodeURIComponent(s.quantity)}`,
    picture() {
      const image = shown.querySelector<HTMLCanvasElement>(".plot canvas");
      if (!image || !s.plotted) return null;
      const { series, period } = s.plotted;
      const now = asOf(new Date(), zone(s));
      return {
        title: `${title(s)}: ${name(series.quantity)}${series.unit === "1" ? "" : ` (${series.unit})`}`,
        time: `${t(`station.period_${period}`)} · ${now}`,
        image,
        scale: devicePixelRatio,
        legend: content(s.plotted).lines.map((line) => ({ colour: line.colour, text: line.label })),
        colours: { background: colour("surface"), text: colour("text"), muted: colour("muted") },
      };
    },
  };
}
