// My stations: those whose management link was opened in this browser, and how they are.
import type { City, Health } from "../api";
import { ApiError, errorText } from "../client";
import { update, h } from "../dom";
import type { Frame, Page } from "../frame";
import { clock, number, t } from "../language";
import "../parts.css";
import { statusText } from "../station/text";
import { health } from "../station/watch";
import { forgetStation, forgetStations, keptStations, managementLink, type Kept } from "./kept";
import "./mine.css";
import { openLink } from "./link";

const refreshEvery = 60_000; // milliseconds

type Answers = Map<string, Health | unknown>; // by station; an error where there is no health

export function open(frame: Frame): Page {
  const body = h("div", { class: "text" });
  const answers: Answers = new Map();
  let city: City | null = null;
  let last: HTMLElement | null = null; // says what was done
  frame.main.replaceChildren(body);

  const render = (): void => {
    const list = keptStations();
    update(
      body,
      h("h1", { tabindex: "-1" }, t("mine.heading")),
      h("p", { class: "quiet" }, t("mine.what")),
      last,
      ...(list.length === 0 ? empty() : [stations(list, answers, city?.properties.zone ?? "UTC", forget), all(forgetAll)]),
    );
  };
  const done = (text: string): void => {
    last = h("p", { class: "fine", role: "status" }, text);
    render();
    body.querySelector("h1")?.focus();
  };
  const forget = (kept: Kept): void => {
    forgetStation(kept.id);
    done(t("mine.forgot", { name: kept.name }));
  };
  const forgetAll = (): void => {
    forgetStations();
    done(t("mine.forgotAll"));
  };
  const load = (): void => {
    for (const kept of keptStations())
      void health(kept.id, kept.key)
        .then(
          (found) => void answers.set(kept.id, found),
          (e: unknown) => void answers.set(kept.id, e),
        )
        .then(render);
  };
  void frame.city.then((got) => {
    city = got;
    render();
  });
  load();
  setInterval(load, refreshEvery);
  return { title: () => t("mine.heading"), render };
}

const empty = (): HTMLElement[] => [
  h("p", {}, t("mine.none")),
  h("p", {}, h("a", { class: "button", href: "/register", "data-key": "register" }, t("school.register"))),
];

const all = (forget: () => void): HTMLElement =>
  h(
    "p",
    { class: "row" },
    h("button", { type: "button", class: "button second", "data-key": "forget-all", click: forget }, t("mine.forgetAll")),
  );

const stations = (list: readonly Kept[], answers: Answers, zone: string, forget: (kept: Kept) => void): HTMLElement =>
  h("ul", { class: "mine" }, ...list.map((kept) => station(kept, answers.get(kept.id), zone, forget)));

function station(kept: Kept, answer: unknown, zone: string, forget: (kept: Kept) => void): HTMLElement {
  const action = (key: "link" | "forget", press: () => void): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: "button second",
        "data-key": `${key}-${kept.id}`,
        "aria-label": `${t(`mine.${key}`)}: ${kept.name}`,
        click: press,
      },
      t(`mine.${key}`),
    );
  return h(
    "li",
    { class: "panel stack" },
    h("h2", {}, h("a", { href: managementLink(kept), "data-key": kept.id }, kept.name)),
    ...stateOf(answer, zone),
    h(
      "div",
      { class: "row" },
      action("link", () => openLink(kept)),
      action("forget", () => forget(kept)),
    ),
  );
}

// stateOf says in a line how a station is, and in another what it needs.
function stateOf(answer: unknown, zone: string): HTMLElement[] {
  if (answer === undefined) return [h("p", { class: "quiet" }, t("frame.loading"))];
  if (!isHealth(answer))
    return [h("p", { class: "trouble" }, answer instanceof ApiError && answer.status === 404 ? t("mine.gone") : errorText(answer))];
  const { status, state, last_seen: seen, flags, refusals } = answer;
  const text = status === "active" ? t(`station.well_${state}`) : statusText(status, answer.reason);
  const found = [
    `${t("station.lastValue")}: ${seen ? clock(seen, zone) : t("station.never")}`,
    flags.length > 0
      ? `${t("station.flags")}: ${number(
          flags.reduce((sum, f) => sum + f.values, 0),
          0,
        )}`
      : "",
    refusals.length > 0 ? `${t("station.refusals")}: ${number(refusals.length, 0)}` : "",
  ];
  const good = status === "active" && state === "ok";
  return [h("p", { class: good ? "fine" : "trouble" }, text), h("p", { class: "quiet" }, found.filter(Boolean).join(" · "))];
}

const isHealth = (answer: unknown): answer is Health => typeof answer === "object" && answer !== null && "state" in answer;
