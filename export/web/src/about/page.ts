// What the numbers are, how they are checked, and what they cannot say, with the rules in force.
import type { Index } from "../api";
import { bullets, paragraph, section } from "../article";
import { update, h } from "../dom";
import type { Frame, Page } from "../frame";
import { name, number, t, type Key } from "../language";
import { bounds } from "../map/colours";
import { table } from "../parts";
import "./about.css";
import { factor, limits, rules, defaultRules, threshold, type Rules } from "./rules";

const checks = [
  "range",
  "sentinel",
  "inconsistent",
  "stuck",
  "spike",
  "humid",
  "outlier",
  "uncorrelated",
  "indoor",
  "moved",
  "clock",
] as const;

export function open(frame: Frame): Page {
  let inForce: Rules = defaultRules;
  const body = h("div", { class: "text article" });
  frame.main.replaceChildren(body);
  const render = (): void =>
    update(body, h("h1", {}, t("about.heading")), h("p", { class: "lead" }, t("about.lead")), ...sections(inForce));
  rules().then(
    (got) => {
      inForce = got;
      render();
    },
    () => {}, // the default rules are shown
  );
  return { title: () => t("about.heading"), render };
}

function sections(r: Rules): HTMLElement[] {
  const v = numbers(r);
  return [
    section("value", t("about.value"), paragraph("about.valueIs"), bullets(["about.live", "about.hour", "about.day", "about.city"])),
    section(
      "checks",
      t("about.checks"),
      paragraph("about.checksAre"),
      bullets(
        checks.map((c) => `about.check_${c}`),
        v,
      ),
      paragraph("about.checksShared"),
      thresholds(r),
    ),
    section("correction", t("about.correction"), paragraph("about.correctionIs", v), paragraph("about.kappaDefault"), factors(r)),
    section(
      "indices",
      t("about.indices"),
      paragraph("about.indicesAre"),
      classes(t("about.european"), "eaqi"),
      classes(t("about.german"), "lqi"),
      bullets(["about.indexName", "about.indexDay", "about.indexFew"]),
      paragraph("about.indicesNot"),
    ),
    section(
      "certainty",
      t("about.certainty"),
      paragraph("about.certaintyIs"),
      bullets(["about.single", "about.few", "about.good"]),
      comparison(),
    ),
    section("limits", t("about.limits"), paragraph("about.limitsAre"), limitTable()),
    section(
      "cannot",
      t("about.cannot"),
      bullets(["about.cannotOfficial", "about.cannotGas", "about.cannotMicrogram", "about.cannotUltrafine", "about.cannotAlarm"]),
    ),
    section("privacy", t("about.privacy"), paragraph("about.privacyIs")),
  ];
}

const comparison = (): HTMLElement =>
  h("p", {}, `${t("about.certaintyBeside")} `, h("a", { href: "/comparison", "data-key": "comparison" }, t("comparison.heading")));

// thresholds makes a table of all numbers in force, as the server publishes them.
function thresholds(r: Rules): HTMLElement | null {
  if (r.thresholds.length === 0) return null;
  const english = (text: string) => h("span", { lang: "en" }, text);
  const amount = (x: { value: number; unit: string }) =>
    `${x.value.toLocaleString("en-GB", { maximumFractionDigits: 3 })}${x.unit === "1" ? "" : ` ${x.unit}`}`;
  const rows = r.thresholds.map((x) => [x.key.replace(/^quality\./, ""), amount(x), english(x.what), english(x.source)]);
  return h(
    "details",
    {},
    h("summary", { "data-key": "thresholds" }, t("about.thresholds")),
    h("div", {}, table(t("about.thresholds"), [t("about.key"), t("map.columnValue"), t("about.what"), t("about.source")], rows)),
  );
}

// numbers returns the thresholds for the sentences.
function numbers(r: Rules): Record<string, string> {
  const whole = (key: string, per = 1) => number(threshold(r, key) / per, Number.isInteger(threshold(r, key) / per) ? 0 : 1);
  return {
    stuck: whole("stuck.particles"),
    stuckOthers: whole("stuck.others"),
    saturated: whole("stuck.saturated"),
    share: whole("inconsistent.share", 0.01),
    by: whole("inconsistent.by"),
    zero: whole("inconsistent.zero"),
    humid: whole("humid.from"),
    spikeDays: whole("spike.past", 24),
    spike: whole("spike.z"),
    outlier: whole("outlier.z"),
    neighbours: whole("outlier.neighbours"),
    near: whole("outlier.near", 1000),
    far: whole("outlier.far", 1000),
    r: number(threshold(r, "uncorrelated.r")),
    past: whole("uncorrelated.past"),
    indoor: whole("indoor.share", 0.01),
    indoorDays: whole("indoor.days"),
    indoorOf: whole("indoor.of"),
    moved: whole("moved.by"),
    ahead: whole("clock.ahead"),
    old: whole("clock.old"),
    kappa: number(r.correction.kappa, 2),
  };
}

const factors = (r: Rules): HTMLElement =>
  table(
    t("about.factors"),
    [t("quantity.humidity"), t("about.factor")],
    [30, 50, 70, 80, 90, 95].map((humidity) => [`${humidity} %`, `÷ ${number(factor(r.correction.kappa, humidity), 2)}`]),
  );

// classes makes the table of an index's classes.
function classes(caption: string, index: Index): HTMLElement {
  const rows = Object.entries(bounds[index]).map(([quantity, list]) => [
    name(quantity),
    ...list.map((b) => number(b, 0)),
    `>\u00a0${number(list[list.length - 1] ?? 0, 0)}`,
  ]);
  const heads = Array.from({ length: (bounds[index].pm10?.length ?? 0) + 1 }, (_, i) => t(`${index}.class${i + 1}` as Key));
  return table(caption, [t("map.quantity"), ...heads], rows);
}

const limitTable = (): HTMLElement =>
  table(
    t("about.limitTable"),
    [t("map.quantity"), t("about.euYear"), t("about.euDay"), t("about.whoYear"), t("about.whoDay")],
    limits.map((l) => [name(l.quantity), ...[l.euYear, l.euDay, l.whoYear, l.whoDay].map((x) => number(x, 0))]),
  );
