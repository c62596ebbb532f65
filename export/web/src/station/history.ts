// Where a station has stood, and what it has measured with.
import type { Station } from "../api";
import { h } from "../dom";
import { clock, number, t } from "../language";
import { table } from "../parts";

export function history({ properties: p }: Station, zone: string): HTMLElement[] {
  const places = p.places.map((o) => [clock(o.from, zone), `${number(o.lat, 4)}, ${number(o.lon, 4)}`]);
  const sensors = p.fittings.map((f) => [clock(f.from, zone), f.sensors.map((s) => s.toUpperCase()).join(", ") || f.kit]);
  return [
    h("h2", {}, t("station.history")),
    h("p", { class: "quiet" }, t("station.historyNote")),
    h(
      "div",
      { class: "pair" },
      table(t("station.places"), [t("station.since"), t("station.place")], places.reverse()),
      table(t("station.fittings"), [t("station.since"), t("station.kit")], sensors.reverse()),
    ),
  ];
}
