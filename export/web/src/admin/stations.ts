// The operator's table of stations: filtered, sorted and in pages, because thousands of rows take browsers seconds.
import type { Answer } from "../api";
import { update, h } from "../dom";
import { clock, flagText, language, number, percent, t, type Key } from "../language";
import { button, field, select, table } from "../parts";

export type AdminStation = Answer<"getAdminStations">["stations"][number];

const statusOrder = ["pending", "suspended", "active", "paused", "retired", "erased"] as const;
const perPage = 50; // rows

const orders = ["status", "name", "last", "good", "flags"] as const;
type Order = (typeof orders)[number];

// Shown is what is chosen of the stations.
export interface Shown {
  status: string; // or state; empty for all
  text: string;
  order: Order;
  page: number; // from 0
}

export const firstShown = (): Shown => ({ status: "", text: "", order: "status", page: 0 });

// stations makes the choices, which it keeps in chosen, and the table; actions makes the buttons of a row.
export function stations(
  all: readonly AdminStation[],
  chosen: Shown,
  zone: string,
  actions: (s: AdminStation) => HTMLElement[],
): HTMLElement[] {
  const rows = h("div", {});
  const pages = h("p", { class: "row" });
  const draw = (): void => {
    const list = choose(all, chosen);
    const last = Math.max(0, Math.ceil(list.length / perPage) - 1);
    const page = (chosen.page = Math.min(chosen.page, last));
    const first = page * perPage;
    const shown = list.slice(first, first + perPage);
    const columns = ["station", "state", "do", "last", "good", "flags", "contact"].map((k) => t(`admin.${k}` as Key));
    update(
      rows,
      table(
        t("admin.stations"),
        columns,
        shown.map((s) => stationRow(s, zone, actions)),
      ),
    );
    const from = number(Math.min(first + 1, list.length), 0);
    update(
      pages,
      turn("adminlist.before", page > 0, -1),
      h("span", { role: "status" }, t("adminlist.of", { from, to: number(first + shown.length, 0), all: number(list.length, 0) })),
      turn("adminlist.after", page < last, 1),
    );
  };
  const turn = (key: "adminlist.before" | "adminlist.after", possible: boolean, by: number): HTMLElement => {
    const b = button(t(key), () => ((chosen.page += by), draw()), true);
    b.disabled = !possible;
    b.setAttribute("data-key", key);
    return b;
  };
  const change = (part: Partial<Shown>): void => {
    Object.assign(chosen, part, { page: 0 });
    draw();
  };
  const statuses: [string, string][] = [
    ["", t("admin.all")],
    ...statusOrder.map((s): [string, string] => [s, t(`status.${s}`)]),
    ...(["check", "silent", "new"] as const).map((s): [string, string] => [s, t(`state.${s}`)]),
  ];
  const search = h("input", { type: "search", value: chosen.text, input: () => change({ text: search.value }) });
  draw();
  return [
    h(
      "div",
      { class: "admin-choices" },
      field(
        t("admin.show"),
        select(statuses, chosen.status, (status) => change({ status })),
      ),
      field(
        t("adminlist.order"),
        select(
          orders.map((o) => [o, t(`adminlist.order_${o}`)] as const),
          chosen.order,
          (order) => change({ order: orders.find((o) => o === order) ?? "status" }),
        ),
      ),
      field(t("admin.search"), search),
    ),
    rows,
    pages,
  ];
}

// choose returns the stations that are to be shown, in their order: those that need somebody first.
export function choose(all: readonly AdminStation[], { status, text, order }: Shown): AdminStation[] {
  const wanted = text.toLowerCase();
  const names = new Intl.Collator(language());
  const keys: Record<Order, (a: AdminStation, b: AdminStation) => number> = {
    status: (a, b) => statusOrder.indexOf(a.properties.status) - statusOrder.indexOf(b.properties.status),
    name: (a, b) => names.compare(a.properties.name, b.properties.name),
    last: (a, b) => (a.properties.last_seen ?? "").localeCompare(b.properties.last_seen ?? ""),
    good: (a, b) => share(a) - share(b),
    flags: (a, b) => flagged(b) - flagged(a),
  };
  return all
    .filter(
      ({ id, email, properties: p }) =>
        (!status || p.status === status || p.state === status) && `${id} ${p.name} ${email}`.toLowerCase().includes(wanted),
    )
    .sort(keys[order]);
}

const share = (s: AdminStation): number => (s.values_24h ? s.good_24h / s.values_24h : 2); // without values last
const flagged = (s: AdminStation): number => Object.values(s.flags_24h).reduce((sum, n) => sum + n, 0);

function stationRow(s: AdminStation, zone: string, actions: (s: AdminStation) => HTMLElement[]): (Node | string)[] {
  const p = s.properties;
  const flags = Object.entries(s.flags_24h).map(([flag, count]) => `${flagText([flag])} (${number(count, 0)})`);
  return [
    h("div", {}, h("a", { href: `/stations/${s.id}` }, s.id), h("br"), p.name),
    h(
      "div",
      {},
      p.status === "active" ? t(`state.${p.state}`) : t(`status.${p.status}`),
      p.reason ? h("p", { class: "quiet" }, p.reason) : null,
    ),
    h("div", { class: "row" }, ...actions(s)),
    p.last_seen ? clock(p.last_seen, zone) : "–",
    s.values_24h ? percent(s.good_24h / s.values_24h) : "–",
    flags.join(", ") || "–",
    s.email ? h("a", { href: `mailto:${s.email}?subject=${encodeURIComponent(`Stadtluft ${s.id}`)}` }, s.email) : "–",
  ];
}
