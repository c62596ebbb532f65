// The diagnosis of a station: its health, its latest values, flags and refusals.
import type { Health, Station } from "../api";
import { h } from "../dom";
import { amount, clock, language, number, t, type Key } from "../language";
import { facts } from "../parts";
import { flagList, refusalList, uncheckedList } from "./refusals";
import { zone, type State } from "./state";
import { heardText, heightText, statusText, uselessContact } from "./text";

export function healthParts(s: State): HTMLElement[] {
  if (!s.health) return [h("p", { class: s.failure ? "trouble" : "quiet" }, s.failure?.() ?? t("frame.loading"))];
  const [text, kind] = healthText(s.health, zone(s));
  return [
    h("h2", {}, t("station.well")),
    h("p", { class: kind, role: "status" }, text),
    facts([...healthFacts(s.health, s.station, zone(s)), ...(s.station ? installationFacts(s.station) : [])]),
  ];
}

// healthText returns the state of a station as a sentence, with the class of its box: good, bad or neither.
function healthText(health: Health, zone: string): [text: string, kind: "fine" | "trouble" | ""] {
  if (health.status !== "active") return [statusText(health.status, health.reason), health.status === "paused" ? "" : "trouble"];
  const heard = uselessContact(health);
  if (heard) return [heardText(heard, zone), "trouble"];
  if (health.rare && health.state === "ok") return [rareText(health.rare), "trouble"];
  const kinds = { ok: "fine", silent: "trouble", check: "trouble", new: "" } as const;
  return [t(`station.well_${health.state}`), kinds[health.state]];
}

const rareText = (r: NonNullable<Health["rare"]>): string => (language() === "de" ? `${r.de} ${r.todo_de}` : `${r.en} ${r.todo_en}`);

function healthFacts(health: Health, station: Station | null, zone: string): [string, string][] {
  const { last_seen: seen, heard, good_share_24h: share, values_24h: count } = health;
  const latest = (quantity: string): string => {
    const v = station?.properties.values[quantity];
    return v ? amount(v.value, quantity, v.unit) : t("station.unknown");
  };
  return [
    [t("station.lastValue"), seen ? clock(seen, zone, true) : t("station.never")],
    ...(heard && !heard.taken && !uselessContact(health) ? [[t("station.lastContact"), heardText(heard, zone)] as [string, string]] : []),
    [
      t("station.counted"),
      share === null
        ? t("station.nothing")
        : t("station.countedOf", { counted: number(Math.round(share * count), 0), count: number(count, 0) }),
    ],
    [t("station.signal"), latest("rssi")],
    [t("station.battery"), latest("battery")],
  ];
}

function installationFacts({ properties: p }: Station): [string, string][] {
  const place = [
    t(p.exposure === "indoor" ? "station.indoor" : "station.outdoor"),
    p.height === null ? "" : t("station.height", { metres: heightText(p.height) }),
    p.side ? t(`side.${p.side}` as Key) : "",
  ];
  return [
    [t("station.kit"), p.sensors.map((s) => s.toUpperCase()).join(", ") || p.kit],
    [t("station.stands"), place.filter(Boolean).join(", ")],
    ...(p.source_id ? [[t("station.sourceId", { source: p.source }), p.source_id] as [string, string]] : []),
  ];
}

export function problemParts(s: State): HTMLElement[] {
  const { flags = [], refusals = [], checks = [] } = s.health ?? {};
  const missed = checks.filter((c) => c.english);
  return [
    h("h2", {}, t("station.trouble")),
    ...(flags.length ? [h("h3", {}, t("station.flags")), flagList(flags)] : []),
    ...(refusals.length ? [h("h3", {}, t("station.refusals")), refusalList(refusals, zone(s))] : []),
    ...(flags.length || refusals.length ? [] : [h("p", {}, t(nothingKey(s.health)))]),
    ...(missed.length ? [h("h3", {}, t("station.unchecked")), uncheckedList(missed)] : []),
  ];
}

// nothingKey returns the message for a station without flags and refusals.
function nothingKey(health: Health | null): Key {
  if (health?.last_seen) return "station.noTrouble";
  return health?.heard ? "station.noValueYet" : "station.nothingYet";
}
