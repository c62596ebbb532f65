// What the map page shares: the view that its address says, and a picture of the map.
import { name, t } from "../language";
import { asOf, type Shared } from "../share/button";
import type { AirMap } from "./airmap";
import { bounds, legendHeading } from "./legend";
import { legendScale, legendSteps, unit, windowText, zone, type State } from "./state";
import { indexText } from "./text";
import { day } from "./theme";
import { writeView } from "./view";

// sharedMap describes the view; its time is that of the values.
export function sharedMap(s: State, map: AirMap): Shared {
  const query = writeView(s.view, "");
  const title = `${name(s.view.quantity)}, ${s.city?.properties.name ?? ""}`;
  const steps = legendSteps(s);
  const now = s.view.window === "live" ? asOf(s.lastReading ? new Date(s.lastReading) : new Date(), zone(s)) : "";
  return {
    title,
    address: `${location.origin}/${query}`,
    embed: "map",
    query: writeView({ ...s.view, chosen: null }, "").slice(1),
    picture() {
      const made = map.snapshot();
      return (
        made && {
          ...made,
          title,
          time: [windowText(s), now].filter(Boolean).join(" · "),
          caption: `${legendHeading(steps, legendScale(s), unit(s))}; ${t("map.legendSingle")}`,
          legend: steps.map((step) => ({
            colour: step.colour,
            text: [step.class ? indexText(step.class.index, step.class.number) : "", bounds(step, steps), step.class ? "" : unit(s)]
              .filter(Boolean)
              .join(" "),
          })),
          colours: { background: "#ffffff", text: day.mark, muted: day.name },
        }
      );
    },
  };
}
