// What only the owner can do, with the key that the management link carries. The key stays in the address's fragment, which
// browsers send to nobody, and goes to the API in a header.
import type { Answer, City } from "../api";
import { ask, words } from "../client";
import { copyable } from "../copyable";
import { h } from "../dom";
import { clock, t, type Key } from "../language";
import { button, facts, field, list, pick, table } from "../parts";
import { qr } from "../qr";
import type { Place } from "../register/place";
import { settingsTabs, tokenPanel, type Settings } from "../register/settings";
import { metres, sensorBoxes, winds } from "../register/choices";
import { changed, high } from "./words";

type Managed = Answer<"getManage">;
export type Change = Managed["changes"][number];

// fresh is what was made just now and is shown this once: it stays on the page while that speaks another language.
const fresh = { token: null as Settings | null, link: "" };

// keyOf reads the key out of an address's fragment.
export const keyOf = (hash: string): string => new URLSearchParams(hash.slice(1)).get("manage") ?? "";

// management is the part of the page behind the key. changed hears of every change.
export function management(id: string, key: string, city: City, changed: () => void): HTMLElement {
  const all = h("div", { class: "manage" }, h("p", { class: "quiet" }, t("frame.loading")));
  const route = `/api/v1/stations/${encodeURIComponent(id)}`;
  const load = async (): Promise<void> => {
    try {
      const managed = await ask<Managed>("GET", `${route}/manage`, undefined, key);
      all.replaceChildren(...forms(managed, { route, key, city, done }).filter((part) => part !== null));
    } catch (e) {
      all.replaceChildren(
        h("h2", {}, t("manage.title")),
        h("p", { class: "trouble", role: "alert" }, words(e)),
        h("p", {}, t("manage.lost")),
      );
    }
  };
  const done = (text: string): void => {
    changed();
    void load().then(() => {
      const said = all.querySelector<HTMLElement>(".answer");
      if (said) said.textContent = text;
      said?.focus();
    });
  };
  void load();
  return all;
}

interface Desk {
  route: string;
  key: string;
  city: City;
  done(text: string): void;
}

function forms(m: Managed, desk: Desk): (HTMLElement | null)[] {
  const zone = desk.city.properties.zone;
  return [
    h("h2", {}, t("manage.title")),
    h("p", { class: "quiet" }, t("manage.keep")),
    h("p", { class: "answer fine", role: "status", tabindex: "-1" }),
    pause(m, desk),
    h("div", { class: "manage-forms" }, rename(m, desk), move(m, desk), replace(m, desk), rotate(desk), handOver(m, desk), remove(m, desk)),
    changesTable(m.changes, zone),
  ];
}

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
      changed(c.what, c.before, zone) || "–",
      changed(c.what, c.after, zone) || "–",
    ]),
  );
}

// form is one thing that can be changed: closed until it is wanted, with its own word of what went wrong.
function form(
  title: string,
  why: string,
  inside: (HTMLElement | null)[],
  act: string,
  send: () => Promise<void>,
  danger = false,
): HTMLDetailsElement {
  const said = h("p", { role: "alert" });
  const go = h("button", { type: "submit", class: "button" }, act);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    said.className = said.textContent = "";
    go.disabled = true;
    try {
      await send();
    } catch (failed) {
      said.className = "trouble";
      said.textContent = words(failed);
    }
    go.disabled = false;
  };
  return h(
    "details",
    { class: danger ? "danger" : "" },
    h("summary", {}, title),
    h(
      "div",
      {},
      h(
        "form",
        { class: "stack", novalidate: true, submit: (e) => void submit(e) },
        h("p", {}, why),
        ...inside,
        said,
        h("p", { class: "row" }, go),
      ),
    ),
  );
}

const patch = (desk: Desk, change: unknown): Promise<unknown> => ask("PATCH", desk.route, change, desk.key);

// pause is for a station that its owner may let pause or go on.
function pause(m: Managed, desk: Desk): HTMLElement | null {
  const status = m.station.properties.status;
  if (status !== "active" && status !== "paused") return null;
  const paused = status === "paused";
  const said = h("p", { role: "alert" });
  const act = async (): Promise<void> => {
    try {
      await patch(desk, { status: paused ? "active" : "paused" });
      desk.done(t(paused ? "manage.resumed" : "manage.paused"));
    } catch (e) {
      said.className = "trouble";
      said.textContent = words(e);
    }
  };
  return h(
    "div",
    { class: "panel stack" },
    h("p", {}, t(paused ? "manage.isPaused" : "manage.pauseWhy")),
    said,
    h(
      "p",
      { class: "row" },
      button(t(paused ? "manage.resume" : "manage.pause"), () => void act(), !paused),
    ),
  );
}

function rename(m: Managed, desk: Desk): HTMLElement {
  const p = m.station.properties;
  const title = h("input", { type: "text", value: p.name });
  const height = h("input", { type: "text", inputmode: "decimal", value: high(p.height) });
  let side = p.side;
  return form(
    t("manage.rename"),
    t("manage.renameWhy"),
    [
      field(t("register.name"), title),
      field(t("register.height"), height),
      field(
        t("register.side"),
        list(
          winds.map((w) => [w, t(`side.${w || "unknown"}` as Key)] as const),
          side,
          (v) => (side = v),
        ),
      ),
    ],
    t("manage.save"),
    async () => {
      const high = metres(height.value);
      if (!Number.isFinite(high)) throw new Error(t("register.noHeight"));
      await patch(desk, { name: title.value, side, height: high });
      desk.done(t("manage.saved"));
    },
  );
}

// since is a moment in the browser's own time; empty is now.
const since = (): HTMLInputElement => h("input", { type: "datetime-local" });
const moment = (input: HTMLInputElement): string | undefined => (input.value ? new Date(input.value).toISOString() : undefined);

function move(m: Managed, desk: Desk): HTMLElement {
  let place: Place | null = null;
  let placing: Promise<void> | undefined;
  const from = since();
  const stage = h("div", {});
  const open = form(
    t("manage.move"),
    t("manage.moveWhy"),
    [facts([[t("manage.stands"), `${m.lat.toFixed(5)}, ${m.lon.toFixed(5)}`]]), stage, field(t("manage.from"), from, t("manage.fromHint"))],
    t("manage.moveDo"),
    async () => {
      await placing;
      if (!place) throw new Error(t("register.noPlace"));
      await patch(desk, { place: { ...place, from: moment(from) } });
      desk.done(t("manage.moved"));
    },
  );
  open.addEventListener("toggle", () => {
    if (stage.dataset.opened) return;
    stage.dataset.opened = "yes"; // a map needs its size, and is large: it is fetched when it is wanted
    void import("../register/place").then(({ placePicker }) =>
      stage.append(placePicker(desk.city, null, (p, asking) => ([place, placing] = [p, asking]))),
    );
  });
  return open;
}

function replace(m: Managed, desk: Desk): HTMLElement {
  const chosen = [...m.station.properties.sensors];
  const kit = h("input", { type: "text", value: m.station.properties.kit });
  const from = since();
  return form(
    t("manage.replace"),
    t("manage.replaceWhy"),
    [field(t("manage.kit"), kit), sensorBoxes(chosen), field(t("manage.from"), from, t("manage.fromHint"))],
    t("manage.replaceDo"),
    async () => {
      await patch(desk, { fitting: { kit: kit.value, sensors: chosen, from: moment(from) } });
      desk.done(t("manage.replaced"));
    },
  );
}

function rotate(desk: Desk): HTMLElement {
  const shown = h("div", { class: "stack" });
  const show = () => fresh.token && shown.replaceChildren(tokenPanel(fresh.token), settingsTabs(fresh.token, ""));
  show();
  const all = form(t("manage.rotate"), t("manage.rotateWhy"), [shown], t("manage.rotateDo"), async () => {
    fresh.token = await ask<Settings>("POST", `${desk.route}/token`, undefined, desk.key);
    show();
  });
  all.open = fresh.token !== null;
  return all;
}

function handOver(m: Managed, desk: Desk): HTMLElement {
  let over = "yes";
  const shown = h("div", { class: "stack" });
  const show = () =>
    fresh.link &&
    shown.replaceChildren(
      h("p", { class: "fine", role: "status" }, t("manage.newLink")),
      copyable(fresh.link, t("register.link")),
      qr(fresh.link, t("register.link")),
    );
  show();
  const all = form(
    t("manage.handOver"),
    t(m.email ? "manage.handOverMail" : "manage.handOverWhy"),
    [
      pick(
        t("manage.why"),
        "over",
        [
          ["yes", t("manage.toOther")],
          ["no", t("manage.lostLink")],
        ],
        over,
        (v) => (over = v),
      ),
      shown,
    ],
    t("manage.handOverDo"),
    async () => {
      const made = await ask<Answer<"renewManageToken">>("POST", `${desk.route}/manage-token`, { hand_over: over === "yes" }, desk.key);
      desk.key = made.manage_token;
      history.replaceState(null, "", new URL(made.manage_link).hash);
      fresh.link = made.manage_link;
      show();
    },
  );
  all.open = fresh.link !== "";
  return all;
}

function remove(m: Managed, desk: Desk): HTMLElement {
  let readings = "keep";
  const sure = h("input", { type: "text", autocomplete: "off" });
  return form(
    t("manage.remove"),
    t("manage.removeWhy"),
    [
      pick(
        t("manage.readings"),
        "readings",
        [
          ["keep", t("manage.keepReadings")],
          ["erase", t("manage.eraseReadings")],
        ],
        readings,
        (v) => (readings = v),
      ),
      field(t("manage.sure", { id: m.station.id }), sure),
    ],
    t("manage.removeDo"),
    async () => {
      if (sure.value.trim().toUpperCase() !== m.station.id) throw new Error(t("manage.notSure"));
      await ask("DELETE", `${desk.route}?readings=${readings}`, undefined, desk.key);
      history.replaceState(null, "", location.pathname);
      document
        .querySelector("main")
        ?.replaceChildren(
          h(
            "div",
            { class: "text" },
            h("h1", { tabindex: "-1" }, t("manage.removed")),
            h("p", {}, t(readings === "erase" ? "manage.removedErased" : "manage.removedKept")),
            h("p", {}, h("a", { href: "/" }, t("frame.toMap"))),
          ),
        );
      document.querySelector<HTMLElement>("main h1")?.focus();
    },
    true,
  );
}
