// Registering a station, in four steps. What was typed stays when the language changes or a step is looked at again.
import type { City } from "../api";
import { ask, Refused, words } from "../client";
import { h } from "../dom";
import type { Frame, Page } from "../frame";
import { t, type Key } from "../language";
import { button, field, list, pick } from "../parts";
import { done, follow, hear, type First, type Registered } from "./done";
import { metres, sensorBoxes, winds } from "./choices";
import { kitName, kits } from "./kits";
import { placePicker, type Place } from "./place";
import "./register.css";

const steps = ["place", "kit", "details", "consent"] as const;
type Step = (typeof steps)[number];

// stepOf is the step that asks for a field, as the API names it.
const stepOf: Record<string, Step> = {
  "lon, lat": "place",
  kit: "kit",
  sensors: "kit",
  device: "kit",
  name: "details",
  height: "details",
  exposure: "details",
  side: "details",
  email: "details",
  licence_consent: "consent",
};

const typed = {
  place: null as Place | null,
  kit: kits[0]!,
  sensors: [...kits[0]!.sensors],
  serial: "",
  name: "",
  height: "3",
  exposure: "outdoor",
  side: "",
  email: "",
  consent: false,
};

let frame: Frame;
let city: City | null = null;
let step: Step = "place";
let placing: Promise<void> | undefined; // the server's answer to a place, while it is under way
let made: Registered | null = null;
const heard = h("div", { class: "heard", role: "status" });
const first: First = { reading: null, health: null, since: "" };

export function open(around: Frame): Page {
  frame = around;
  const given = new URLSearchParams(location.search);
  const [lon, lat] = [Number(given.get("lon") ?? NaN), Number(given.get("lat") ?? NaN)];
  if (Number.isFinite(lon) && Number.isFinite(lat)) typed.place = { lon, lat };
  void frame.city.then((got) => {
    city = got;
    render();
  });
  addEventListener("popstate", (e) => show((e.state as Step | null) ?? "place"));
  return { title: () => t("register.title"), render };
}

function render(): void {
  blame("");
  if (!city)
    return frame.main.replaceChildren(
      h("div", { class: "text" }, h("h1", {}, t("register.title")), h("p", { class: "quiet" }, t("frame.loading"))),
    );
  if (made) {
    frame.main.replaceChildren(done(made, typed.name, typed.kit.recipe, heard, () => removeEventListener("beforeunload", keep)));
    return hear(heard, first, city);
  }
  if (city.properties.registration === "closed")
    return frame.main.replaceChildren(h("div", { class: "text" }, h("h1", {}, t("register.title")), h("p", {}, t("register.closed"))));
  const form = h(
    "form",
    { class: "text", novalidate: true, submit: (e) => void next(e) },
    h("h1", {}, t("register.title")),
    step === "place" ? h("p", { class: "lead" }, t("register.lead")) : null,
    progress(),
    body(city),
    fault,
    buttons(),
  );
  frame.main.replaceChildren(form);
}

// go leads to a step, from which the browser's button leads back.
function go(to: Step): void {
  if (to !== step) history.pushState(to, "");
  show(to);
}

// show puts the focus on the step's heading, so that it is read.
function show(to: Step): void {
  step = to;
  render();
  frame.main.querySelector<HTMLElement>(".step-title")?.focus();
}

function progress(): HTMLElement {
  const at = steps.indexOf(step);
  return h(
    "ol",
    { class: "progress" },
    ...steps.map((s, i) =>
      h(
        "li",
        { "aria-current": i === at ? "step" : null, class: i < at ? "past" : null },
        i < at ? h("button", { type: "button", class: "link", click: () => go(s) }, t(`register.step_${s}`)) : t(`register.step_${s}`),
      ),
    ),
  );
}

const title = (key: Key): HTMLElement => h("h2", { class: "step-title", tabindex: "-1" }, t(key));

function body(city: City): HTMLElement {
  switch (step) {
    case "place":
      return h(
        "div",
        { class: "stack" },
        title("register.where"),
        h("p", {}, t("register.wherePrivate")),
        placePicker(city, typed.place, (p, asking) => ([typed.place, placing] = [p, asking])),
      );
    case "kit":
      return kitStep();
    case "details":
      return detailsStep();
    case "consent":
      return consentStep(city);
  }
}

function kitStep(): HTMLElement {
  const choose = (id: string) => {
    typed.kit = kits.find((k) => k.id === id) ?? typed.kit;
    typed.sensors = [...typed.kit.sensors];
    render();
    frame.main.querySelector<HTMLElement>(`input[value="${typed.kit.id}"]`)?.focus();
  };
  const card = (kit: (typeof kits)[number]) =>
    h(
      "label",
      { class: "kit" },
      h("input", { type: "radio", name: "kit", value: kit.id, checked: kit === typed.kit, change: () => choose(kit.id) }),
      h("img", { src: `/kits/${kit.id}.svg`, alt: "", width: 56, height: 56 }),
      h("strong", {}, kit.title || t("register.kit_own")),
      h("span", { class: "quiet" }, t(`register.kit_${kit.id}` as Key)),
    );
  return h(
    "div",
    { class: "stack" },
    title("register.which"),
    h("fieldset", {}, h("legend", { class: "caption" }, t("register.kit")), h("div", { class: "kits" }, ...kits.map(card))),
    sensorBoxes(typed.sensors),
    typed.kit.id === "airgradient" ? field(t("register.serial"), text("serial"), t("register.serialHint")) : null,
  );
}

type Typed = "serial" | "name" | "height" | "email";

function text(name: Typed, type = "text"): HTMLInputElement {
  return h("input", {
    type,
    name,
    value: typed[name],
    autocomplete: name === "email" ? "email" : "off",
    input: (e) => (typed[name] = (e.target as HTMLInputElement).value),
  });
}

function detailsStep(): HTMLElement {
  const height = text("height", "text");
  height.setAttribute("inputmode", "decimal");
  return h(
    "div",
    { class: "stack" },
    title("register.how"),
    field(t("register.name"), text("name"), t("register.nameHint")),
    h(
      "div",
      { class: "pair" },
      field(t("register.height"), height, t("register.heightHint")),
      field(
        t("register.side"),
        list(
          winds.map((w) => [w, t(`side.${w || "unknown"}` as Key)] as const),
          typed.side,
          (v) => (typed.side = v),
        ),
        t("register.sideHint"),
      ),
    ),
    pick(
      t("register.exposure"),
      "exposure",
      [
        ["outdoor", t("register.outdoor")],
        ["indoor", t("register.indoor")],
      ],
      typed.exposure,
      (v) => (typed.exposure = v),
    ),
    field(t("register.email"), text("email", "email"), t("register.emailHint")),
  );
}

function consentStep(city: City): HTMLElement {
  const box = h("input", {
    type: "checkbox",
    id: "consent",
    checked: typed.consent,
    change: (e) => (typed.consent = (e.target as HTMLInputElement).checked),
  });
  return h(
    "div",
    { class: "stack" },
    title("register.agree"),
    h("ul", { class: "promises" }, ...[1, 2, 3, 4].map((n) => h("li", {}, t(`register.promise${n}` as Key, { licence: city.licence })))),
    h("label", { class: "tick", for: "consent" }, box, h("span", {}, t("register.consent"))),
  );
}

const fault = h("p", { role: "alert" });

// blame says what is wrong with a step, without touching what was typed; empty takes it away.
function blame(text: string): void {
  fault.className = text ? "trouble" : "";
  fault.textContent = text;
}

function buttons(): HTMLElement {
  const at = steps.indexOf(step);
  const before = steps[at - 1];
  return h(
    "p",
    { class: "row" },
    h("button", { type: "submit", class: "button" }, t(step === "consent" ? "register.send" : "register.next")),
    before ? button(t("register.backward"), () => go(before), true) : null,
  );
}

// missing is what a step still lacks, in words.
function missing(): string {
  if (step === "place" && !typed.place) return t("register.noPlace");
  if (step === "details" && !typed.name.trim()) return t("register.noName");
  if (step === "details" && !Number.isFinite(metres(typed.height))) return t("register.noHeight");
  if (step === "consent" && !typed.consent) return t("register.noConsent");
  return "";
}

async function next(e: Event): Promise<void> {
  e.preventDefault();
  if (step === "place") await placing;
  const lack = missing();
  blame(lack);
  if (lack) return;
  const after = steps[steps.indexOf(step) + 1];
  if (after) return go(after);
  const send = frame.main.querySelector<HTMLButtonElement>("button[type=submit]");
  if (!send || send.disabled) return; // pressed twice, it would be two stations
  send.disabled = true;
  await register();
  send.disabled = false;
}

async function register(): Promise<void> {
  try {
    made = await ask<Registered>("POST", "/api/v1/stations", {
      ...typed.place,
      name: typed.name,
      kit: kitName(typed.kit, typed.sensors),
      sensors: typed.sensors,
      height: metres(typed.height),
      exposure: typed.exposure,
      side: typed.side,
      email: typed.email.trim(),
      licence_consent: typed.consent,
      ...(typed.kit.id === "airgradient" && typed.serial.trim() ? { device: { family: "airgradient", key: typed.serial } } : {}),
    });
  } catch (e) {
    go((e instanceof Refused && stepOf[e.problem.field ?? ""]) || step);
    return blame(words(e));
  }
  first.since = new Date(Date.now() - 60_000).toISOString();
  addEventListener("beforeunload", keep);
  follow(made.id, first, () => {
    if (city) hear(heard, first, city);
  });
  render();
  frame.main.querySelector<HTMLElement>("h1")?.focus();
}

// keep asks before a page is left whose token will never be shown again.
function keep(e: BeforeUnloadEvent): void {
  e.preventDefault();
}
