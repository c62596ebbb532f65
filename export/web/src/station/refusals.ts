// Refusals and flags, explained, with what to do.
import type { Health, Refusal } from "../api";
import { h } from "../dom";
import { clock, language, number, t } from "../language";
import { reasonAddress } from "../specification/link";

// refusalList shows the newest first; repeated refusals are one entry with their number.
export function refusalList(refusals: readonly Refusal[], zone: string): HTMLElement {
  const times = new Map<string, { last: Refusal; count: number }>();
  for (const r of refusals) {
    const key = `${r.reason} ${r.field ?? ""}`;
    const known = times.get(key);
    if (known) known.count++;
    else times.set(key, { last: r, count: 1 });
  }
  return h("ul", { class: "refusals" }, ...[...times.values()].map(({ last, count }) => refusal(last, count, zone)));
}

export function refusal(r: Refusal, count: number, zone: string): HTMLElement {
  const german = language() === "de";
  return h(
    "li",
    {},
    h("p", {}, h("strong", {}, german ? r.de : r.en), r.field ? ` (${r.field})` : null),
    h("p", {}, german ? r.todo_de : r.todo_en),
    h(
      "p",
      { class: "quiet" },
      count > 1 ? t("station.refusedTimes", { time: clock(r.time, zone, true), count: String(count) }) : clock(r.time, zone, true),
      ": ",
      detail(r),
    ),
    h("p", { class: "quiet" }, h("a", { href: reasonAddress(r.reason), "data-key": `reason-${r.reason}` }, t("specification.reason"))),
  );
}

// detail shows what exactly was refused, in the page's language where there is German for it.
export function detail(r: Pick<Refusal, "detail" | "detail_de">): HTMLElement {
  return language() === "de" && r.detail_de ? h("span", {}, r.detail_de) : h("span", { lang: "en" }, r.detail);
}

// flagList shows how many values have each flag, and what to do.
export function flagList(flags: Health["flags"]): HTMLElement {
  const german = language() === "de";
  const found = (f: Health["flags"][number]) =>
    h(
      "li",
      {},
      h("p", {}, h("strong", {}, german ? f.de : f.en)),
      h("p", {}, german ? f.todo_de : f.todo_en),
      h("p", { class: "quiet" }, t("station.flagCount", { count: number(f.values, 0) })),
    );
  return h("ul", { class: "refusals" }, ...[...flags].sort((a, b) => b.values - a.values).map(found));
}

// uncheckedList shows why checks could not be made, each reason once with the checks that it stopped.
export function uncheckedList(checks: Health["checks"]): HTMLElement {
  const german = language() === "de";
  const names = new Map<string, string[]>();
  for (const c of checks) {
    const why = german ? c.german : c.english;
    names.set(why, [...(names.get(why) ?? []), german ? c.name_de : c.name_en]);
  }
  const missed = ([why, of]: [string, string[]]) =>
    h("li", {}, h("p", {}, h("strong", {}, why)), h("p", { class: "quiet" }, t("station.uncheckedOf", { checks: of.join(", ") })));
  return h("ul", { class: "refusals" }, ...[...names].map(missed));
}
