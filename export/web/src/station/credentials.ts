// A new token for the station, and a new management link for its owner.
import type { Answer } from "../api";
import { copyable } from "../copyable";
import { h } from "../dom";
import { t } from "../language";
import { forgetStation, keepStation } from "../mine/kept";
import { radios } from "../parts";
import { qr } from "../qr";
import { settingsTabs, tokenPanel, type Settings } from "../register/settings";
import { form } from "./form";
import type { Managed, Management } from "./management";

export function rotate({ owner, send }: Management): HTMLElement {
  const shown = h("div", { class: "stack" });
  const show = (): void => {
    if (owner.newSettings) shown.replaceChildren(tokenPanel(owner.newSettings), settingsTabs(owner.newSettings, ""));
  };
  const element = form({
    title: t("manage.rotate"),
    why: t("manage.rotateWhy"),
    fields: [shown],
    action: t("manage.rotateDo"),
    async send() {
      owner.newSettings = await send<Settings>("POST", "/token");
      show();
    },
  });
  show();
  element.open = owner.newSettings !== null;
  return element;
}

export function handOver({ email, station }: Managed, { owner, send }: Management): HTMLElement {
  let over = "yes";
  const shown = h("div", { class: "stack" });
  const show = (): void => {
    if (owner.newLink) shown.replaceChildren(...linkParts(owner.newLink));
  };
  const reasons = [
    ["yes", t("manage.toOther")],
    ["no", t("manage.lostLink")],
  ] as const;
  const element = form({
    title: t("manage.handOver"),
    why: t(email ? "manage.handOverMail" : "manage.handOverWhy"),
    fields: [radios(t("manage.why"), "over", reasons, over, (v) => (over = v)), shown],
    action: t("manage.handOverDo"),
    async send() {
      const made = await send<Answer<"renewManageToken">>("POST", "/manage-token", { hand_over: over === "yes" });
      [owner.key, owner.newLink] = [made.manage_token, made.manage_link];
      history.replaceState(null, "", new URL(made.manage_link).hash);
      if (over === "yes") forgetStation(station.id);
      else keepStation({ id: station.id, key: owner.key, name: station.properties.name });
      show();
    },
  });
  show();
  element.open = owner.newLink !== "";
  return element;
}

const linkParts = (link: string): Element[] => [
  h("p", { class: "fine", role: "status" }, t("manage.newLink")),
  copyable(link, t("register.link")),
  qr(link, t("register.link")),
];
