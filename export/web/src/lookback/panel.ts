// Looking back at a place: its last week beside earlier ones, its days above the limits, and a calendar of the last year.
import type { City } from "../api";
import { errorText } from "../client";
import { openDialog } from "../dialog";
import { h } from "../dom";
import { snippet, year as yearQuery } from "../embed/snippet";
import { amount, name, number, t } from "../language";
import { dayOf } from "../map/view";
import { button, facts } from "../parts";
import "../parts.css";
import type { Subject } from "./button";
import { calendar } from "./calendar";
import { above, compare, type Week } from "./compare";
import { days, type Means } from "./days";
import { saveCalendar } from "./save";
import "./lookback.css";

// open shows the look back in a dialog.
export function open(subject: Subject, city: City | null): void {
  const body = h("div", { class: "stack" });
  const { kind, id } = subject.place;
  const path = kind === "city" ? "city" : `${kind}/${encodeURIComponent(id)}`;
  const pictures = h("div", { class: "row" });
  openDialog(`${t("lookback.open")}: ${subject.title}`, body, pictures, snippet(path, subject.quantity, t("lookback.embed"), yearQuery));
  void fill(body, subject, city?.properties.zone ?? "UTC").then((means) => {
    if (means?.list.length && city) pictures.append(button(t("share.pictureSvg"), () => saveCalendar(means, subject, city), true));
  });
}

// fill requests the means, shows and returns them; meanwhile it says that they are coming, and else why they are not.
export async function fill(body: HTMLElement, s: Subject, zone: string): Promise<Means | null> {
  body.replaceChildren(h("p", { class: "quiet", role: "status" }, t("frame.loading")));
  try {
    const means = await days(s.place, s.quantity, zone);
    body.replaceChildren(...parts(means, s.quantity, dayOf(Date.now(), zone)));
    return means;
  } catch (e) {
    body.replaceChildren(h("p", { class: "trouble", role: "alert" }, t("embed.nothing", { detail: errorText(e) })));
    return null;
  }
}

// parts makes the look back from daily means; today is not over.
export function parts({ list, unit }: Means, quantity: string, today: string): HTMLElement[] {
  const what = h("p", { class: "label" }, t("lookback.what", { quantity: name(quantity) }));
  if (list.length === 0) return [what, h("p", {}, t("lookback.none"))];
  const { last, before, yearAgo } = compare(list, today);
  const week = (w: Week): string => (w.mean === null ? t("lookback.fewDays", { days: String(w.days) }) : amount(w.mean, quantity, unit));
  const beside = (w: Week): HTMLElement => h("span", {}, week(w), h("span", { class: "quiet change" }, change(last, w)));
  const year = today.slice(0, 4);
  const counted = list.filter((d) => d.date.startsWith(year) && d.date < today).length;
  const limits = above(list, quantity, year);
  return [
    what,
    facts([
      [t("lookback.last"), week(last)],
      [t("lookback.before"), beside(before)],
      [t("lookback.yearAgo"), beside(yearAgo)],
      ...limits.map((l): [string, string] => [
        t(`lookback.above_${l.who}`, { value: amount(l.value, quantity, unit), year }),
        t("lookback.days", { days: number(l.days, 0), of: number(counted, 0) }),
      ]),
    ]),
    h("p", { class: "label" }, t("lookback.calendar")),
    calendar(list, quantity, unit, today),
    h("p", { class: "quiet" }, t(limits.length > 0 ? "lookback.noteLimits" : "lookback.note")),
  ];
}

// change says how much more or less than another week the last one was, where a share says something.
function change(last: Week, other: Week): string {
  if (last.mean === null || other.mean === null || other.mean < 1) return "";
  const percent = Math.round((last.mean / other.mean - 1) * 100);
  if (percent === 0) return t("lookback.same");
  return t(percent > 0 ? "lookback.more" : "lookback.less", { percent: number(Math.abs(percent), 0) });
}
