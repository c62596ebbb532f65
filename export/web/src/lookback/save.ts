// The calendar as a file of its own, with title, source and licence.
import type { City } from "../api";
import { name, t } from "../language";
import { bounds } from "../map/legend";
import { dayOf } from "../map/view";
import { asOf } from "../share/button";
import { download, fileName, lines, sourceText } from "../share/picture";
import { svg } from "../svg";
import type { Subject } from "./button";
import { drawing, height, shades, width } from "./calendar";
import type { Means } from "./days";

const head = 56; // pixels for the title
const foot = 80; // for legend and source
const longest = 118; // characters of a line of the source

export function saveCalendar({ list, unit }: Means, subject: Subject, city: City): void {
  const today = dayOf(Date.now(), city.properties.zone);
  const title = `${subject.title}: ${t("lookback.what", { quantity: name(subject.quantity) })}${unit === "1" ? "" : ` (${unit})`}`;
  const inner = drawing(list, subject.quantity, today);
  for (const [key, value] of Object.entries({ y: head, width, height })) inner.setAttribute(key, String(value));
  const file = svg(
    "svg",
    { viewBox: `0 0 ${width} ${head + height + foot}`, width, height: head + height + foot },
    svg("style", {}, "text{font:11px system-ui,sans-serif;fill:#22302f}.none{stroke:#d5dcd8}.title{font-size:17px;font-weight:650}"),
    svg("rect", { width: "100%", height: "100%", fill: "#ffffff" }),
    svg("text", { x: 8, y: 24, class: "title" }, title),
    svg("text", { x: 8, y: 42 }, `${t("lookback.calendar")}. ${asOf(new Date(), city.properties.zone)}`),
    inner,
    ...legend(list, head + height + 20),
    ...lines(sourceText(city), (line) => line.length <= longest).map((line, i) =>
      svg("text", { x: 8, y: head + height + 46 + i * 14 }, line),
    ),
  );
  const text = new XMLSerializer().serializeToString(file);
  download(new Blob([text], { type: "image/svg+xml" }), fileName(`${title} ${today}`, "svg"));
}

function legend(list: Means["list"], y: number): SVGElement[] {
  const steps = shades(list).map(({ colour, high }, i, all) => ({
    colour,
    low: all[i - 1]?.high ?? null,
    high: Number.isFinite(high) ? high : null,
    class: null,
  }));
  return steps.flatMap((step, i) => [
    svg("rect", { x: 8 + i * 110, y: y - 10, width: 12, height: 12, fill: step.colour }),
    svg("text", { x: 26 + i * 110, y }, bounds(step, steps)),
  ]);
}
