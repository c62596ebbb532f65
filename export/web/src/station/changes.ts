// The record of changes of stations: what was changed, and by whom.
import type { Answer } from "../api";
import { h } from "../dom";
import { clock, t, type Key } from "../language";
import { table } from "../parts";
import { changeText } from "./text";

export type Change = Answer<"getManage">["changes"][number];

// changesTable makes a table of changes; stations adds a column with the station.
export function changesTable(changes: readonly Change[], zone: string, stations = false): HTMLElement {
  return table(
    t("manage.changes"),
    [
      t("manage.when"),
      ...(stations ? [t("manage.station")] : []),
      t("manage.who"),
      t("manage.what"),
      t("manage.before"),
      t("manage.after"),
    ],
    changes.map((c) => [
      clock(c.time, zone),
      ...(stations ? [h("a", { href: `/stations/${c.station}` }, c.station)] : []),
      t(`manage.by_${c.who}`),
      t(`did.${c.what}` as Key),
      changeText(c.what, c.before, zone) || "–",
      changeText(c.what, c.after, zone) || "–",
    ]),
  );
}
