// The form with which an owner chooses notices: by mail, at a webhook, of what.
import { h } from "../dom";
import { t } from "../language";
import { field, radios } from "../parts";
import { form } from "./form";
import type { Managed, Management } from "./management";

type Notices = Managed["notices"];
const kinds = ["silent", "check", "week"] as const;

export function notices({ notices: known, station: { id } }: Managed, m: Management): HTMLElement {
  const feed = h("p", {}, h("a", { href: `/feeds/stations/${id}.atom` }, t("notices.feed")));
  if (!known.mail && !known.hooks) {
    return h("details", {}, h("summary", {}, t("notices.title")), h("div", {}, h("p", {}, t("notices.feedOnly")), feed));
  }
  const wish = { silent: known.silent, check: known.check, week: known.week };
  if (!known.asked && !known.hook) wish.silent = wish.check = true; // what most people want
  const email = h("input", { type: "email", autocomplete: "email", value: known.email });
  const hook = h("input", { type: "url", autocomplete: "off", value: known.hook });
  let kind = known.hook_kind;
  return form({
    title: t("notices.title"),
    why: t("notices.why"),
    fields: [
      ...(known.mail ? [...state(known), field(t("notices.email"), email, t("notices.emailHint"))] : []),
      ...(known.hooks
        ? [
            field(t("notices.hook"), hook, t("notices.hookHint")),
            radios(
              t("notices.hookKind"),
              "hook-kind",
              [
                ["ntfy", t("notices.ntfy")],
                ["json", t("notices.json")],
              ],
              kind,
              (v) => (kind = v === "json" ? "json" : "ntfy"),
            ),
          ]
        : []),
      boxes(wish),
      feed,
    ],
    action: t("notices.save"),
    async send() {
      const ask = { email: email.value.trim(), hook: hook.value.trim(), hook_kind: kind, ...wish };
      if ((ask.email || ask.hook) && !kinds.some((k) => wish[k])) throw new Error(t("notices.nothing"));
      const set = await m.send<Notices>("PUT", "/notices", ask);
      m.done(t(set.mail && set.email && !set.confirmed ? "notices.sent" : "notices.saved"));
    },
  });
}

// state says what becomes of the address; nothing without one.
function state({ email, asked, confirmed }: Notices): HTMLElement[] {
  if (!email) return [];
  return [
    h(
      "p",
      { class: confirmed ? "fine" : "trouble" },
      t(confirmed ? "notices.confirmed" : asked ? "notices.asked" : "notices.unasked", { email }),
    ),
  ];
}

// boxes makes a box for each kind; ticking them changes the wish.
function boxes(wish: Record<(typeof kinds)[number], boolean>): HTMLElement {
  const box = (k: (typeof kinds)[number]) =>
    h(
      "label",
      {},
      h("input", { type: "checkbox", checked: wish[k], change: (e) => (wish[k] = (e.target as HTMLInputElement).checked) }),
      h("span", {}, t(`notices.${k}`)),
    );
  return h(
    "fieldset",
    { class: "pick" },
    h("legend", { class: "caption" }, t("notices.what")),
    h("div", { class: "options" }, ...kinds.map(box)),
  );
}
