// The city's stations beside official instruments: hours, days, figures by humidity, and the κ that comes closest.
import * as api from "../api";
import { bullets, section } from "../article";
import { errorText } from "../client";
import { h, update } from "../dom";
import type { Frame, Page } from "../frame";
import { name, number, percent, t } from "../language";
import { besideText, metres } from "../map/text";
import { field, select, table } from "../parts";
import "./comparison.css";
import { curve, scatter, series } from "./plots";

const radii = [1000, 3000, 5000];
const periods = [30, 90, 365];

// Choice is what a person has chosen; it is kept in the address.
interface Choice {
  quantity: string;
  official: string;
  radius: number;
  days: number;
}

function readChoice(search: string): Choice {
  const asked = new URLSearchParams(search);
  const among = (list: number[], key: string, otherwise: number) => {
    const n = Number(asked.get(key));
    return list.includes(n) ? n : otherwise;
  };
  return {
    quantity: asked.get("quantity") ?? "pm2_5",
    official: asked.get("official") ?? "all",
    radius: among(radii, "radius", 0), // 0: that of api.deviationOf
    days: among(periods, "days", 90),
  };
}

export function open(frame: Frame): Page {
  let choice = readChoice(location.search);
  let all: api.Comparison | null = null; // every row of all stations together, to know what there is
  let chosen: api.Comparison | null = null;
  let hours: api.ComparisonHour[] = [];
  const parts = { head: h("div", { class: "text intro" }), choices: h("div", { class: "choices" }), body: h("div", { class: "body" }) };
  frame.main.replaceChildren(h("div", { class: "wide" }, parts.head, parts.choices, parts.body));

  function render(): void {
    const found = api.deviationOf(choice.quantity, all);
    update(
      parts.head,
      h("h1", {}, t("comparison.heading")),
      h("p", { class: "lead" }, t("comparison.lead")),
      found ? h("p", { class: "headline" }, besideText(found)) : null,
    );
    if (!all) return void update(parts.body, h("p", { class: "quiet" }, t("frame.loading")));
    update(parts.choices, ...(all.rows.length ? choices(all) : []));
    update(parts.body, ...body(all));
  }

  function choices(of: api.Comparison): HTMLElement[] {
    const quantities = [...new Set(of.rows.map((r) => r.quantity))];
    const stations: [string, string][] = [["all", t("comparison.all")], ...of.stations.map((s): [string, string] => [s.id, s.name])];
    const pick = (key: string, label: string, options: readonly (readonly [string, string])[], value: string, change: Partial<Choice>) => {
      const control = select(options, value, (v) => {
        const kind = key as keyof Choice;
        choose({ ...change, [kind]: kind === "radius" || kind === "days" ? Number(v) : v });
      });
      control.id = `choose-${key}`;
      control.setAttribute("data-key", key);
      return field(label, control);
    };
    return [
      pick(
        "quantity",
        t("map.quantity"),
        quantities.map((q) => [q, name(q)] as const),
        choice.quantity,
        { radius: 0 },
      ),
      pick("official", t("comparison.official"), stations, choice.official, {}),
      pick(
        "radius",
        t("comparison.radius"),
        radii.map((r) => [String(r), metres(r)] as const),
        String(choice.radius),
        {},
      ),
      pick(
        "days",
        t("comparison.period"),
        periods.map((d) => [String(d), t("comparison.days", { days: String(d) })] as const),
        String(choice.days),
        {},
      ),
    ];
  }

  function choose(part: Partial<Choice>): void {
    choice = { ...choice, ...part };
    void load();
  }

  function body(of: api.Comparison): (HTMLElement | null)[] {
    if (of.rows.length === 0) return [h("p", {}, t("comparison.nothing", { kappa: number(of.kappa, 2) })), limits(of)];
    if (!chosen) return [h("p", { class: "quiet" }, t("frame.loading"))];
    const row = chosen.rows.find((r) => r.humidity === "all" && r.corrected);
    return [
      row
        ? h(
            "div",
            { class: "pair" },
            h("div", { class: "panel" }, scatter(hours, row)),
            h("div", { class: "panel" }, series(hours, row.unit)),
          )
        : h("p", { class: "hint" }, t("comparison.none")),
      row ? figures(chosen.rows) : null,
      choice.quantity === "pm2_5" || choice.quantity === "pm10" ? kappa(of) : null,
      limits(of),
    ];
  }

  function figures(rows: readonly api.ComparisonRow[]): HTMLElement {
    const heads = ["humidity", "values", "hours", "bias", "sd", "rmse", "nrmse", "r", "slope", "intercept"] as const;
    const humidity = (text: string) => (text === "all" ? t("comparison.humidityAll") : `${text.replace("-", "–")} %`);
    const route = `/api/v1/comparison?quantity=${choice.quantity}&official=${choice.official}&format=csv`;
    return h(
      "div",
      {},
      h("h2", {}, t("comparison.numbers")),
      h("p", { class: "quiet" }, t("comparison.numbersAre")),
      table(
        `${name(choice.quantity)} (${rows[0]?.unit ?? ""})`,
        heads.map((key) => t(`comparison.${key}`)),
        rows.map((r) => [
          humidity(r.humidity),
          r.corrected ? t("comparison.correctedRow") : t("comparison.raw"),
          number(r.n, 0),
          `${signed(r.bias)} (${signed(r.bias_low)} … ${signed(r.bias_high)})`,
          number(r.sd),
          number(r.rmse),
          percent(r.nrmse),
          number(r.r, 2),
          number(r.slope, 2),
          signed(r.intercept),
        ]),
      ),
      h(
        "p",
        { class: "quiet" },
        `${t("map.download")}: `,
        h("a", { href: route, "data-key": "csv" }, "CSV"),
        " ",
        h("a", { href: hoursRoute(), "data-key": "hours" }, t("comparison.scatter")),
      ),
    );
  }

  const from = (): string => new Date(Date.now() - (choice.days + 1) * 86_400_000).toISOString().slice(0, 10);
  const hoursRoute = (): string =>
    `/api/v1/comparison/hours?quantity=${choice.quantity}${choice.official === "all" ? "" : `&official=${choice.official}`}&radius=${choice.radius}&from=${from()}`;

  function kappa(of: api.Comparison): HTMLElement {
    const k = of.kappas.find((x) => x.quantity === choice.quantity);
    if (!k) return section("kappa", t("comparison.kappa"), h("p", { class: "quiet" }, t("comparison.kappaNone")));
    const says = t("comparison.kappaIs", {
      n: number(k.n, 0),
      days: number(k.days, 0),
      radius: metres(k.radius),
      proposed: number(k.proposed, 2),
      low: number(k.low, 2),
      high: number(k.high, 2),
      inForce: number(of.kappa, 2),
    });
    return section("kappa", t("comparison.kappa"), h("p", {}, says), h("div", { class: "panel half" }, curve(k, of.kappa)));
  }

  const limits = (of: api.Comparison): HTMLElement =>
    section("limits", t("comparison.limits"), bullets(["comparison.limitsAre"]), sources(of));

  function sources(of: api.Comparison): HTMLElement | null {
    const list = [...new Set(of.stations.map((s) => `${s.name}, ${s.licence}`))].join("; ");
    return list ? h("p", { class: "quiet" }, t("comparison.data", { sources: list })) : null;
  }

  // load asks for what there is, then for what is chosen.
  async function load(): Promise<void> {
    try {
      all ??= await api.get<api.Comparison>("/api/v1/comparison?official=all");
      const found = api.deviationOf(choice.quantity, all);
      if (choice.radius === 0) choice.radius = found?.radius_m ?? 5000;
      saveChoice(choice);
      if (all.rows.length > 0) {
        const { quantity, official, radius, days } = choice;
        const [rows, pairs] = await Promise.all([
          api.comparison(quantity, official, radius, days),
          api.comparisonHours(quantity, official, radius, from()),
        ]);
        if (choice.quantity !== quantity || choice.official !== official || choice.radius !== radius || choice.days !== days) return;
        [chosen, hours] = [rows, pairs.rows];
      }
      frame.setStatus("");
      render();
    } catch (e) {
      frame.setStatus(t("frame.failed", { detail: errorText(e) }), true);
      setTimeout(() => void load(), 5000);
    }
  }

  void load();
  return { title: () => t("comparison.heading"), render };
}

const signed = (v: number): string => `${v < 0 ? "−" : "+"}${number(Math.abs(v))}`;

function saveChoice({ quantity, official, radius, days }: Choice): void {
  const search = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries({ quantity, official, radius, days })) search.set(key, String(value));
  history.replaceState(null, "", `${location.pathname}?${search}${location.hash}`);
}
