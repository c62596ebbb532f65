// A station's status and the changes of it, as text.
import type { Health } from "../api";
import { clock, language, name, number, t, type Key } from "../language";

// statusText returns a status as a sentence; reason is why a station is suspended.
export const statusText = (status: Health["status"], reason?: string): string =>
  [t(`station.is_${status}`), reason ? t("station.suspendedWhy", { reason }) : ""].filter(Boolean).join(" ");

type Heard = NonNullable<Health["heard"]>;

// heardText returns the last contact of a station as a sentence: when, over what, and what became of it.
export const heardText = (heard: Heard, zone: string): string =>
  t(heard.over ? `station.heard_${heard.over}` : "station.heard", {
    time: clock(heard.time, zone, true),
    what: language() === "de" ? heard.de : heard.en,
  });

// uselessContact returns the last contact of a station when nothing of it was taken and it says more than the state does: of one
// that has never reported, and of a silent one that was heard all the same.
export function uselessContact(health: Health, now = new Date()): Heard | null {
  const { heard, state } = health;
  if (!heard || heard.taken) return null;
  const recent = now.getTime() - new Date(heard.time).getTime() < silentAfter;
  return state === "new" || (state === "silent" && recent) ? heard : null;
}

const silentAfter = 15 * 60_000; // milliseconds, as the server says

// heightText returns a height in metres as people write it.
export const heightText = (metres: number): string => number(metres, Number.isInteger(metres) ? 0 : 1);

// changeText returns what was before or after a change, as the server recorded it, as text. What it does not know stays as it is.
export function changeText(what: string, text: string, zone: string): string {
  const [, value = "", since] = /^(.*?)(?: since (\d{4}-\S+Z))?$/s.exec(text) ?? [];
  const put = formats[what];
  if (!put || !value) return text;
  return since ? t("did.since", { what: put(value), time: clock(since, zone) }) : put(value);
}

const messageOr = (section: string, key: string): string => {
  const word = t(`${section}.${key}` as Key);
  return word === `${section}.${key}` ? key : word;
};

const formats: Record<string, (value: string) => string> = {
  status: (value) => messageOr("status", value),
  side: (value) => messageOr("side", value),
  height: (value) => `${heightText(Number(value))} m`,
  place: (value) => value.replace(/^CRS3035RES100mN(\d+)E(\d+)$/, (_, north: string, east: string) => t("did.cell", { north, east })),
  sensors: (value) => value.replace(/^(.*) \((.*)\)$/, (_, kit: string, sensors: string) => (sensors ? sensors.toUpperCase() : kit)),
  calibration: name,
};
