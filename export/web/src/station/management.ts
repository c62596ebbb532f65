// What only the owner of a station sees and can do, with the key of the management link. The key is in the fragment of the address,
// which browsers do not send, and goes to the API in a header.
import type { Answer, City } from "../api";
import { send, errorText } from "../client";
import { h } from "../dom";
import { t } from "../language";
import { keepStation } from "../mine/kept";
import { openLink } from "../mine/link";
import { button } from "../parts";
import { changesTable } from "./changes";
import { handOver, rotate } from "./credentials";
import { notices } from "./notices";
import { move, pause, remove, rename, replace } from "./forms";
import type { Owner } from "./state";

export type Managed = Answer<"getManage">;

// Management is what the forms use to change a station.
export interface Management {
  readonly city: City;
  readonly owner: Owner;
  send<T>(method: string, path?: string, body?: unknown): Promise<T>; // path is below the station's
  done(text: string): void; // after a change; text says what was done
  remove(readings: "keep" | "erase"): void; // after the station was removed
}

export interface ManagementActions {
  changed(): void;
  remove(readings: "keep" | "erase"): void;
}

// management makes the part of the page that needs the key. It requests what it shows, and again after every change.
export function management(id: string, owner: Owner, city: City, actions: ManagementActions): HTMLElement {
  const element = h("div", { class: "manage" }, h("p", { class: "quiet" }, t("frame.loading")));
  const m: Management = {
    city,
    owner,
    send: (method, path = "", body) => send(method, `/api/v1/stations/${encodeURIComponent(id)}${path}`, body, owner.key),
    done(text) {
      actions.changed();
      void load().then(() => say(element, text));
    },
    remove: actions.remove,
  };
  const load = async (): Promise<void> => {
    try {
      const managed = await m.send<Managed>("GET", "/manage");
      keepStation({ id, key: owner.key, name: managed.station.properties.name });
      element.replaceChildren(...forms(managed, m));
    } catch (e) {
      element.replaceChildren(...refused(e));
    }
  };
  void load();
  return element;
}

function forms(managed: Managed, m: Management): HTMLElement[] {
  const pausing = pause(managed, m);
  const { id, properties } = managed.station;
  const kept = () => ({ id, key: m.owner.key, name: properties.name }); // with the key of now
  return [
    h("h2", {}, t("manage.title")),
    h("p", { class: "quiet" }, t("manage.keep")),
    h(
      "p",
      { class: "row" },
      button(t("mine.link"), () => openLink(kept()), true),
      h("a", { href: "/mine" }, t("mine.heading")),
    ),
    h("p", { class: "answer fine", role: "status", tabindex: "-1" }),
    ...(pausing ? [pausing] : []),
    h(
      "div",
      { class: "manage-forms" },
      rename(managed, m),
      move(managed, m),
      replace(managed, m),
      notices(managed, m),
      rotate(m),
      handOver(managed, m),
      remove(managed, m),
    ),
    changesTable(managed.changes, m.city.properties.zone),
  ];
}

const refused = (e: unknown): HTMLElement[] => [
  h("h2", {}, t("manage.title")),
  h("p", { class: "trouble", role: "alert" }, errorText(e)),
  h("p", {}, t("manage.lost")),
];

// say shows what was done above the forms and puts the focus there.
function say(element: HTMLElement, text: string): void {
  const answer = element.querySelector<HTMLElement>(".answer");
  if (answer) answer.textContent = text;
  answer?.focus();
}
