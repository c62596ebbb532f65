// The calendar as a file of its own, with title, source and licence.
import type { City } from "../api";
import { amount, name, t } from "../language";
import { bounds } from "../map/legend";
import { dayOf } from "../map/view";
import { asOf } from "../share/button";
import { download, fileName, lines, sourceText } from "../share/picture";
import { svg } from "../svg";
import type { Subject } from "./button";
import { drawing, height, shades, strictest, width } from "./calendar";
import type { Means } from "./days";

const head = 56; // pixels for the title
const foot = 80; // for legend and source
const margin = 8; // at both sides
const longest = 118; // characters of a line of the source

export function saveCalendar({ list, unit }: Means, subject: Subject, city: City): void {
  const today = dayOf(Date.now(), city.properties.zone);
  const title = `${subject.title}: ${t("lookback.what", { quantity: name(subject.quantity) })}${unit === "1" ? "" : ` (${unit})`}`;
  const inner = drawing(list, subject.quantity, today);
  for (const [key, value] of Object.entries({ y: head, width, height })) inner.setAttribute(key, String(value));
  const file = svg(
    "svg",
    { viewBox: `0 0 ${width + margin} ${head + height + foot}`, width: width + margin, height: head + height + foot },
    svg("style", {}, "text{font:11px system-ui,sans-serif;fill:#22302f}.none{stroke:#d5dcd8}.title{font-size:17px;font-weight:650}"),
    svg("rect", { width: "100%", height: "100%", fill: "#ffffff" }),
    svg("text", { x: margin, y: 24, class: "title" }, title),
    svg("text", { x: margin, y: 42 }, `${t("lookback.calendar")}. ${asOf(new Date(), city.properties.zone)}`),
    inner,
    ...legend(list, subject.quantity, unit, head + height + 20),
    ...lines(sourceText(city), (line) => line.length <= longest).map((line, i) =>
      svg("text", { x: margin, y: head + height + 46 + i * 14 }, line),
    ),
  );
  const text = new XMLSerializer().serializeToString(file);
  download(new Blob([text], { type: "image/svg+xml" }), fileName(`${title} ${today}`, "svg"));
}

// legend explains the colours and, where the quantity has limits, the dots.
function legend(list: Means["list"], quantity: string, unit: string, y: number): SVGElement[] {
  const steps = shades(list).map(({ colour, high }, i, all) => ({
    colour,
    low: all[i - 1]?.high ?? null,
    high: Number.isFinite(high) ? high : null,
    class: null,
  }));
  const limit = strictest(quantity);
  const dotted = Number.isFinite(limit);
  const each = Math.min(110, width / (steps.length + (dotted ? 1.3 : 0))); // the dot's text is the longest
  const at = (i: number): number => margin + i * each;
  return [
    ...steps.flatMap((step, i) => [
      svg("rect", { x: at(i), y: y - 10, width: 12, height: 12, fill: step.colour }),
      svg("text", { x: at(i) + 18, y }, bounds(step, steps)),
    ]),
    ...(dotted
      ? [
          svg("circle", { cx: at(steps.length) + 6, cy: y - 4, r: 3, fill: "#10201f" }),
          svg("text", { x: at(steps.length) + 18, y }, t("lookback.dot", { value: amount(limit, quantity, unit) })),
        ]
      : []),
  ];
}
