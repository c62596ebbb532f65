// The forms with which an owner changes a station.
import { h } from "../dom";
import { t, type Key } from "../language";
import { button, facts, field, select, radios } from "../parts";
import { parseMetres, sensorBoxes, sides } from "../register/choices";
import type { Place } from "../register/place";
import { attempt, form } from "./form";
import type { Managed, Management } from "./management";
import { heightText } from "./text";

// pause makes the button to pause or resume a station; null where the status allows neither.
export function pause({ station }: Managed, { send, done }: Management): HTMLElement | null {
  const status = station.properties.status;
  if (status !== "active" && status !== "paused") return null;
  const paused = status === "paused";
  const error = h("p", { role: "alert" });
  const act = async (): Promise<void> => {
    await send("PATCH", "", { status: paused ? "active" : "paused" });
    done(t(paused ? "manage.resumed" : "manage.paused"));
  };
  const press = button(t(paused ? "manage.resume" : "manage.pause"), () => void attempt(act, error), !paused);
  return h(
    "div",
    { class: "panel stack" },
    h("p", {}, t(paused ? "manage.isPaused" : "manage.pauseWhy")),
    error,
    h("p", { class: "row" }, press),
  );
}

export function rename({ station: { properties: p } }: Managed, { send, done }: Management): HTMLElement {
  const name = h("input", { type: "text", value: p.name });
  const height = h("input", { type: "text", inputmode: "decimal", value: p.height === null ? "" : heightText(p.height) });
  let side = p.side;
  const options = sides.map((w) => [w, t(`side.${w || "unknown"}` as Key)] as const);
  return form({
    title: t("manage.rename"),
    why: t("manage.renameWhy"),
    fields: [
      field(t("register.name"), name),
      field(t("register.height"), height),
      field(
        t("register.side"),
        select(options, side, (v) => (side = v)),
      ),
    ],
    action: t("manage.save"),
    async send() {
      const high = parseMetres(height.value);
      const unknown = p.height === null && !height.value.trim(); // a height that is known can be changed, not forgotten
      if (!unknown && !Number.isFinite(high)) throw new Error(t("register.noHeight"));
      await send("PATCH", "", { name: name.value, side, ...(unknown ? {} : { height: high }) });
      done(t("manage.saved"));
    },
  });
}

// since makes a field for a moment in the browser's time zone; empty means now.
const since = (): HTMLInputElement => h("input", { type: "datetime-local" });
const moment = (input: HTMLInputElement): string | undefined => (input.value ? new Date(input.value).toISOString() : undefined);

export function move(managed: Managed, { city, send, done }: Management): HTMLElement {
  let place: Place | null = null;
  let checking: Promise<void> | undefined;
  const from = since();
  const picker = h("div", {});
  const element = form({
    title: t("manage.move"),
    why: t("manage.moveWhy"),
    fields: [
      facts([[t("manage.stands"), `${managed.lat.toFixed(5)}, ${managed.lon.toFixed(5)}`]]),
      picker,
      field(t("manage.from"), from, t("manage.fromHint")),
    ],
    action: t("manage.moveDo"),
    async send() {
      await checking;
      if (!place) throw new Error(t("register.noPlace"));
      await send("PATCH", "", { place: { ...place, from: moment(from) } });
      done(t("manage.moved"));
    },
  });
  // The map is large, and needs its size: it is loaded when the form is opened.
  const open = async (): Promise<void> => {
    const { placePicker } = await import("../register/place");
    picker.append(placePicker(city, null, (p, check) => ([place, checking] = [p, check]), managed));
  };
  element.addEventListener("toggle", () => void open(), { once: true });
  return element;
}

export function replace({ station: { properties: p } }: Managed, { send, done }: Management): HTMLElement {
  const sensors = [...p.sensors];
  const kit = h("input", { type: "text", value: p.kit });
  const from = since();
  return form({
    title: t("manage.replace"),
    why: t("manage.replaceWhy"),
    fields: [field(t("manage.kit"), kit), sensorBoxes(sensors), field(t("manage.from"), from, t("manage.fromHint"))],
    action: t("manage.replaceDo"),
    async send() {
      await send("PATCH", "", { fitting: { kit: kit.value, sensors, from: moment(from) } });
      done(t("manage.replaced"));
    },
  });
}

export function remove({ station: { id } }: Managed, m: Management): HTMLElement {
  let readings: "keep" | "erase" = "keep";
  const typed = h("input", { type: "text", autocomplete: "off" });
  const options = [
    ["keep", t("manage.keepReadings")],
    ["erase", t("manage.eraseReadings")],
  ] as const;
  return form({
    title: t("manage.remove"),
    why: t("manage.removeWhy"),
    fields: [
      radios(t("manage.readings"), "readings", options, readings, (v) => (readings = v === "erase" ? "erase" : "keep")),
      field(t("manage.sure", { id }), typed),
    ],
    action: t("manage.removeDo"),
    async send() {
      if (typed.value.trim().toUpperCase() !== id) throw new Error(t("manage.notSure"));
      await m.send("DELETE", `?readings=${readings}`);
      m.remove(readings);
    },
    danger: true,
  });
}
