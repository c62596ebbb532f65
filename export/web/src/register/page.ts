// Registers a station, in four steps. What was typed stays when the language or the step changes.
import type { City } from "../api";
import { send, ApiError, errorText } from "../client";
import { h } from "../dom";
import type { Frame, Page } from "../frame";
import { t, type Key } from "../language";
import { keepStation } from "../mine/kept";
import { button, field, select, radios } from "../parts";
import { donePage, follow, renderReceived, type Received, type Registered } from "./done";
import { parseMetres, sensorBoxes, sides } from "./choices";
import { kitName, kits } from "./kits";
import { placePicker, type Place } from "./place";
import "./register.css";

const steps = ["place", "kit", "details", "consent"] as const;
type Step = (typeof steps)[number];

// stepOfField is the step that asks for a field, by the API's name of the field.
const stepOfField: Record<string, Step> = {
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

const form = {
  place: null as Place | null,
  kit: kits[0]!,
  sensors: [...kits[0]!.sensors],
  serial: "",
  name: "",
  height: "",
  exposure: "outdoor",
  side: "",
  email: "",
  consent: false,
};

let frame: Frame;
let city: City | null = null;
let step: Step = "place";
let checking: Promise<void> | undefined; // the request that checks the place, while it is under way
let registered: Registered | null = null;
const receivedPart = h("div", { class: "heard", role: "status" });
const received: Received = { first: "", reading: null, health: null, since: "" };

export function open(around: Frame): Page {
  frame = around;
  const given = new URLSearchParams(location.search);
  const [lon, lat] = [Number(given.get("lon") ?? NaN), Number(given.get("lat") ?? NaN)];
  if (Number.isFinite(lon) && Number.isFinite(lat)) form.place = { lon, lat };
  void frame.city.then((got) => {
    city = got;
    render();
  });
  addEventListener("popstate", (e) => show((e.state as Step | null) ?? "place"));
  return { title: () => t("register.title"), render };
}

function render(): void {
  showError("");
  if (!city)
    return frame.main.replaceChildren(
      h("div", { class: "text" }, h("h1", {}, t("register.title")), h("p", { class: "quiet" }, t("frame.loading"))),
    );
  if (registered) {
    frame.main.replaceChildren(
      donePage(registered, form.name, form.kit.recipe, receivedPart, () => removeEventListener("beforeunload", confirmLeaving)),
    );
    return renderReceived(receivedPart, received, city);
  }
  if (city.properties.registration === "closed")
    return frame.main.replaceChildren(h("div", { class: "text" }, h("h1", {}, t("register.title")), h("p", {}, t("register.closed"))));
  const element = h(
    "form",
    { class: "text", novalidate: true, submit: (e) => void next(e) },
    h("h1", {}, t("register.title")),
    step === "place" ? h("p", { class: "lead" }, t("register.lead")) : null,
    progress(),
    body(city),
    error,
    buttons(),
  );
  frame.main.replaceChildren(element);
}

// goTo shows a step and adds it to the browser's history.
function goTo(to: Step): void {
  if (to !== step) history.pushState(to, "");
  show(to);
}

// show shows a step and puts the focus on its heading, so that screen readers read it.
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
        i < at ? h("button", { type: "button", class: "link", click: () => goTo(s) }, t(`register.step_${s}`)) : t(`register.step_${s}`),
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
        placePicker(city, form.place, (p, asking) => {
          [form.place, checking] = [p, asking];
          if (p) showError(""); // that there was none
        }),
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
    form.kit = kits.find((k) => k.id === id) ?? form.kit;
    form.sensors = [...form.kit.sensors];
    render();
    frame.main.querySelector<HTMLElement>(`input[value="${form.kit.id}"]`)?.focus();
  };
  const card = (kit: (typeof kits)[number]) =>
    h(
      "label",
      { class: "kit" },
      h("input", { type: "radio", name: "kit", value: kit.id, checked: kit === form.kit, change: () => choose(kit.id) }),
      h("img", { src: `/kits/${kit.id}.svg`, alt: "", width: 56, height: 56 }),
      h("strong", {}, kit.title || t("register.kit_own")),
      h("span", { class: "quiet" }, t(`register.kit_${kit.id}` as Key)),
    );
  return h(
    "div",
    { class: "stack" },
    title("register.which"),
    h("fieldset", {}, h("legend", { class: "caption" }, t("register.kit")), h("div", { class: "kits" }, ...kits.map(card))),
    sensorBoxes(form.sensors),
    form.kit.id === "airgradient" ? field(t("register.serial"), text("serial"), t("register.serialHint")) : null,
  );
}

type TextField = "serial" | "name" | "height" | "email";

function text(name: TextField, type = "text"): HTMLInputElement {
  return h("input", {
    type,
    name,
    value: form[name],
    autocomplete: name === "email" ? "email" : "off",
    input: (e) => (form[name] = (e.target as HTMLInputElement).value),
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
        select(
          sides.map((w) => [w, t(`side.${w || "unknown"}` as Key)] as const),
          form.side,
          (v) => (form.side = v),
        ),
        t("register.sideHint"),
      ),
    ),
    radios(
      t("register.exposure"),
      "exposure",
      [
        ["outdoor", t("register.outdoor")],
        ["indoor", t("register.indoor")],
      ],
      form.exposure,
      (v) => (form.exposure = v),
    ),
    field(t("register.email"), text("email", "email"), t("register.emailHint")),
  );
}

function consentStep(city: City): HTMLElement {
  const box = h("input", {
    type: "checkbox",
    id: "consent",
    checked: form.consent,
    change: (e) => (form.consent = (e.target as HTMLInputElement).checked),
  });
  return h(
    "div",
    { class: "stack" },
    title("register.agree"),
    h("ul", { class: "promises" }, ...[1, 2, 3, 4].map((n) => h("li", {}, t(`register.promise${n}` as Key, { licence: city.licence })))),
    h("label", { class: "tick", for: "consent" }, box, h("span", {}, t("register.consent"))),
  );
}

const error = h("p", { role: "alert" });

// showError says what is wrong with a step, and keeps what was typed; empty removes the message.
function showError(text: string): void {
  error.className = text ? "trouble" : "";
  error.textContent = text;
}

function buttons(): HTMLElement {
  const at = steps.indexOf(step);
  const before = steps[at - 1];
  return h(
    "p",
    { class: "row" },
    h("button", { type: "submit", class: "button" }, t(step === "consent" ? "register.send" : "register.next")),
    before ? button(t("register.backward"), () => goTo(before), true) : null,
  );
}

// missingText says what is missing in a step; empty when nothing is.
function missingText(): string {
  if (step === "place" && !form.place) return t("register.noPlace");
  if (step === "details" && !form.name.trim()) return t("register.noName");
  if (step === "details" && form.height.trim() && !Number.isFinite(parseMetres(form.height))) return t("register.noHeight");
  if (step === "consent" && !form.consent) return t("register.noConsent");
  return "";
}

async function next(e: Event): Promise<void> {
  e.preventDefault();
  if (step === "place") await checking;
  const missing = missingText();
  showError(missing);
  if (missing) return;
  const after = steps[steps.indexOf(step) + 1];
  if (after) return goTo(after);
  const send = frame.main.querySelector<HTMLButtonElement>("button[type=submit]");
  if (!send || send.disabled) return; // pressing it twice would register two stations
  send.disabled = true;
  await register();
  send.disabled = false;
}

async function register(): Promise<void> {
  try {
    registered = await send<Registered>("POST", "/api/v1/stations", {
      ...form.place,
      name: form.name,
      kit: kitName(form.kit, form.sensors),
      sensors: form.sensors,
      height: form.height.trim() ? parseMetres(form.height) : null,
      exposure: form.exposure,
      side: form.side,
      email: form.email.trim(),
      licence_consent: form.consent,
      ...(form.kit.id === "airgradient" && form.serial.trim() ? { device: { family: "airgradient", key: form.serial } } : {}),
    });
  } catch (e) {
    goTo((e instanceof ApiError && stepOfField[e.problem.field ?? ""]) || step);
    return showError(errorText(e));
  }
  received.since = new Date(Date.now() - 60_000).toISOString();
  keepStation({ id: registered.id, key: registered.manage_token, name: form.name });
  addEventListener("beforeunload", confirmLeaving);
  follow(registered.id, registered.manage_token, received, () => {
    if (city) renderReceived(receivedPart, received, city);
  });
  render();
  frame.main.querySelector<HTMLElement>("h1")?.focus();
}

// confirmLeaving lets the browser ask before the page is left, because the token is never shown again.
function confirmLeaving(e: BeforeUnloadEvent): void {
  e.preventDefault();
}
