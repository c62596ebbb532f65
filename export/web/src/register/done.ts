// The page after the registration: keys, settings, a label, and the first message as soon as it comes.
import { station, type Answer, type City, type Health, type ReadingEvent } from "../api";
import { copyable } from "../copyable";
import { update, h } from "../dom";
import { amount, clock, flagText, name, t } from "../language";
import { button } from "../parts";
import { qr } from "../qr";
import { refusal } from "../station/refusals";
import { heardText } from "../station/text";
import { watch } from "../station/watch";
import { settingsTabs, tokenPanel } from "./settings";

export type Registered = Answer<"addStation">;

// Received is what has come from the station so far.
export interface Received {
  first: string; // the time of the first message; empty until it has come
  reading: ReadingEvent | null; // the newest
  health: Health | null;
  since: string; // earlier refusals are not of this station
}

// follow waits for the first message and then for newer ones, and calls changed whenever something has come. The diagnosis finds a
// message that the stream missed because the connection was lost.
export function follow(id: string, key: string, received: Received, changed: () => void): void {
  const receive = (r: ReadingEvent): void => {
    if (received.reading && received.reading.time >= r.time) return;
    received.first ||= r.time;
    received.reading = r;
    changed();
  };
  watch(id, () => key, {
    reading: receive,
    health(h) {
      received.health = h;
      changed();
      if (h.last_seen && h.last_seen > (received.reading?.time ?? ""))
        void station(id).then(
          (s) => receive({ station: id, time: h.last_seen ?? "", values: s.properties.values }),
          () => {},
        );
    },
    failed: () => {},
  });
}

// donePage makes the page; element is the part that shows what has come.
export function donePage(made: Registered, title: string, recipe: string, element: HTMLElement, leave: () => void): HTMLElement {
  const page = new URL(`/stations/${made.id}`, location.href).href;
  return h(
    "div",
    { class: "text done" },
    h("h1", { tabindex: "-1" }, t("register.done", { name: title })),
    made.status === "pending" ? h("p", { class: "trouble" }, t("register.pending")) : null,
    element,
    tokenPanel(made),
    h(
      "div",
      { class: "panel stack" },
      h("h2", {}, t("register.link")),
      h("p", {}, t("register.linkKeep")),
      copyable(made.manage_link, t("register.link")),
      h("p", { class: "quiet" }, `${t("mine.kept")} `, h("a", { href: "/mine", target: "_blank" }, t("mine.heading"))),
      h("details", {}, h("summary", {}, t("register.linkPhone")), h("div", {}, qr(made.manage_link, t("register.link")))),
    ),
    h("h2", {}, t("register.settings")),
    settingsTabs(made, recipe),
    h(
      "div",
      { class: "panel stack" },
      h("h2", { class: "no-print" }, t("register.label")),
      h("p", { class: "no-print" }, t("register.labelWhy")),
      h(
        "div",
        { class: "label-card" },
        qr(page, t("register.labelCode")),
        h(
          "div",
          {},
          h("p", { class: "label-name" }, title),
          h("p", { class: "label-id" }, made.id),
          h("p", {}, t("register.labelText")),
          h("p", { class: "quiet" }, page),
        ),
      ),
      h(
        "p",
        { class: "no-print" },
        button(t("register.print"), () => print(), true),
      ),
    ),
    h("p", {}, h("a", { class: "button", href: made.manage_link, click: leave }, t("register.toPage"))),
  );
}

// renderReceived shows what has come from the station.
export function renderReceived(element: HTMLElement, received: Received, city: City): void {
  const zone = city.properties.zone;
  if (received.reading) {
    const values = Object.entries(received.reading.values);
    const flagged = values.flatMap(([quantity, v]) =>
      v.flags.length ? [t("register.flagged", { quantity: name(quantity), flags: flagText(v.flags) })] : [],
    );
    const texts = values.map(([quantity, v]) => `${name(quantity)} ${amount(v.value, quantity, v.unit)}`).join(", ");
    update(
      element,
      h(
        "p",
        { class: "fine first" },
        h("strong", {}, t("register.first", { time: clock(received.first, zone, true) })),
        received.first === received.reading.time ? "" : ` ${t("register.newest", { time: clock(received.reading.time, zone, true) })}`,
        ` ${texts}`,
      ),
      ...flagged.map((text) => h("p", { class: "hint" }, text)),
    );
    return;
  }
  const refused = received.health?.refusals.find((r) => r.time >= received.since);
  const heard = received.health?.heard;
  update(
    element,
    h("p", { class: "waiting" }, t("register.waiting")),
    ...(refused
      ? [
          h(
            "div",
            { class: "trouble" },
            h("p", {}, h("strong", {}, t("register.refused"))),
            h("ul", { class: "refusals" }, refusal(refused, 1, zone)),
          ),
        ]
      : []),
    ...(heard && !refused && heard.time >= received.since ? [h("p", { class: "trouble" }, heardText(heard, zone))] : []),
  );
}
