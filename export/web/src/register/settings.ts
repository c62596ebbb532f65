// What an owner gets once: the token, and settings for each firmware, ready to paste.
import type { Answer } from "../api";
import { copyable } from "../copyable";
import { h } from "../dom";
import { language, t } from "../language";
import { tabs } from "../parts";

export type Settings = Answer<"rotateToken">;

// settingsTabs shows the settings of every firmware; the tab of the recipe is open.
export function settingsTabs(s: Settings, recipe: string): HTMLElement {
  const of = (text: { de: string; en: string }) => text[language()];
  const first = Math.max(
    0,
    s.settings.findIndex((r) => r.name === recipe),
  );
  return tabs(
    t("register.firmware"),
    s.settings.map((r) => ({ title: of(r.title), body: [h("p", {}, of(r.how)), copyable(r.settings.trimEnd(), of(r.title), true)] })),
    first,
  );
}

// tokenPanel shows the user name and the password.
export function tokenPanel(s: Settings): HTMLElement {
  return h(
    "div",
    { class: "panel stack" },
    h("h2", {}, t("register.token")),
    h("p", {}, t("register.tokenOnce")),
    h("p", { class: "caption" }, t("register.user")),
    copyable(s.id, t("register.user")),
    h("p", { class: "caption" }, t("register.password")),
    copyable(s.token, t("register.password")),
  );
}
