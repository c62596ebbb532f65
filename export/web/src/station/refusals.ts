// Refusals and flags in words, with what to do.
import { h } from "../dom";
import { clock, flagWords, language, languages, number, t, type Key } from "../language";
import type { Refusal } from "./watch";

// refusalList is the newest first; the same fault again and again stands there once, with how often it came.
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
    h("p", { class: "quiet" }, count > 1 ? t("station.refusedTimes", { time: clock(r.time, zone, true), count: String(count) }) : clock(r.time, zone, true), ": ", h("span", { lang: "en" }, r.detail)),
  );
}

// flagList says of each flag how many values have it, and what to do.
export function flagList(flags: Record<string, number>): HTMLElement {
  const known = languages[language()].messages.flagDo as Record<string, string>;
  return h(
    "ul",
    { class: "refusals" },
    ...Object.entries(flags)
      .sort((a, b) => b[1] - a[1])
      .map(([flag, count]) =>
        h("li", {}, h("p", {}, h("strong", {}, t("station.flagCount", { count: number(count, 0), words: flagWords([flag]) }))), flag in known ? h("p", {}, t(`flagDo.${flag}` as Key)) : null),
      ),
  );
}
