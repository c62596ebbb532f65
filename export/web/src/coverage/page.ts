// Where stations are missing, and where the next one helps most.
import * as api from "../api";
import { errorText } from "../client";
import { update, h } from "../dom";
import type { Frame, Page } from "../frame";
import { language, name, number, percent, t } from "../language";
import { AirMap } from "../map/airmap";
import { places } from "../map/surroundings";
import { cellName } from "../map/text";
import "./coverage.css";
import { kind, months, type Coverage, type Cell, coloured, proposals, kinds } from "./coverage";

const quantities = ["pm2_5", "pm10", "temperature", "humidity", "noise_laeq"];

export function open(frame: Frame): Page {
  let quantity = new URLSearchParams(location.search).get("quantity") ?? "pm2_5";
  let coverage: Coverage | null = null;
  let chosen: Cell | null = null;
  const place = h("div", { class: "map" });
  const parts = {
    head: h("div", { class: "text" }),
    share: h("section", { class: "panel share" }),
    list: h("section", { class: "panel" }),
    history: h("section", {}),
  };
  frame.main.replaceChildren(
    h(
      "div",
      { class: "wide" },
      parts.head,
      h("div", { class: "pair" }, h("div", { class: "aside" }, parts.share, parts.list), place),
      parts.history,
    ),
  );
  const map = new AirMap(place, {
    choose: (c) => choose(c?.kind === "cell" ? c.id : ""),
    describe: ({ id }) => cellText(coverage, id),
  });

  function choose(id: string): void {
    chosen = coverage?.features.find((f) => f.properties.cell === id) ?? null;
    map.highlight(chosen && { kind: "cell", id });
    render();
  }

  function render(): void {
    map.setLabel(t("coverage.map"));
    update(parts.head, h("h1", {}, t("coverage.heading")), h("p", { class: "lead" }, t("coverage.lead")), select());
    if (!coverage) return void update(parts.share, h("p", { class: "quiet" }, t("frame.loading")));
    const c = coverage.coverage;
    update(
      parts.share,
      h("p", { class: "label" }, t("coverage.share")),
      h("p", { class: "figure" }, percent(c.share)),
      h("p", { class: "quiet" }, t("coverage.cells", { covered: number(c.covered, 0), all: number(c.cells, 0) })),
      c.people_share === null
        ? null
        : h("p", {}, t("coverage.people", { share: percent(c.people_share), reached: number(c.people_reached ?? 0, 0) })),
      h("ul", { class: "keys" }, ...kinds.map((s, i) => h("li", {}, h("span", { class: `box box${i}`, "aria-hidden": "true" }), t(s)))),
    );
    update(parts.list, ...list(coverage));
    update(parts.history, ...history(coverage));
  }

  function select(): HTMLElement {
    const change = (e: Event) => {
      quantity = (e.target as HTMLSelectElement).value;
      saveQuantity(quantity);
      void load();
    };
    return h(
      "label",
      { class: "narrow" },
      h("span", {}, t("map.quantity")),
      h(
        "select",
        { "data-key": "quantity", change },
        ...quantities.map((q) => h("option", { value: q, selected: q === quantity }, name(q))),
      ),
    );
  }

  function list(c: Coverage): (HTMLElement | null)[] {
    const near = chosen && !chosen.properties.covered ? chosen : null;
    return [
      h("h2", {}, t("coverage.next")),
      near
        ? h("p", { class: "chosen" }, `${cellName(near.properties.cell)}: `, registerLink(near))
        : h("p", { class: "quiet" }, t("coverage.tap")),
      proposals(c).length === 0 ? h("p", { class: "fine" }, t("coverage.all")) : null,
      h(
        "ol",
        { class: "proposals" },
        ...proposals(c).map((p) =>
          h(
            "li",
            {},
            h(
              "button",
              { type: "button", class: "link", "data-key": p.properties.cell, click: () => choose(p.properties.cell) },
              cellName(p.properties.cell),
            ),
            h("span", {}, language() === "de" ? p.properties.reason_de : p.properties.reason_en),
            registerLink(p),
          ),
        ),
      ),
      h(
        "p",
        { class: "quiet" },
        `${t("map.download")}: `,
        h("a", { href: `/api/v1/coverage?quantity=${quantity}&format=csv`, "data-key": "csv" }, "CSV"),
        " ",
        h("a", { href: `/api/v1/coverage?quantity=${quantity}`, "data-key": "geojson" }, "GeoJSON"),
      ),
    ];
  }

  async function load(): Promise<void> {
    try {
      coverage = await api.get<Coverage>(`/api/v1/coverage?quantity=${encodeURIComponent(quantity)}&proposals=10&history=month`);
      frame.setStatus("");
      map.grid(...coloured(coverage));
      render();
    } catch (e) {
      frame.setStatus(t("frame.failed", { detail: errorText(e) }), true);
      setTimeout(() => void load(), 5000);
    }
  }

  void load();
  void frame.city.then((city) => map.city(city));
  void places().then(render);
  return { title: () => t("coverage.heading"), render };
}

// saveQuantity puts the quantity into the address.
const saveQuantity = (quantity: string): void =>
  window.history.replaceState(
    null,
    "",
    `?${new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(location.search)), quantity })}`,
  );

// cellText returns what the colour of a cell means.
function cellText(coverage: Coverage | null, id: string): string {
  const cell = coverage?.features.find((f) => f.properties.cell === id)?.properties;
  return `${cellName(id)}: ${cell ? t(kinds[kind(cell)] ?? "coverage.missing") : ""}.`;
}

// registerLink makes a link to the registration with the centre of the cell filled in.
function registerLink(cell: Cell): HTMLElement {
  const [lon, lat] = centre(cell);
  return h(
    "a",
    { href: `/register?lon=${lon.toFixed(5)}&lat=${lat.toFixed(5)}`, "data-key": `here-${cell.properties.cell}` },
    t("coverage.here"),
  );
}

function centre(cell: Cell): [number, number] {
  const ring = cell.geometry.coordinates[0] ?? [];
  const of = (i: number) => ((ring[0]?.[i] ?? 0) + (ring[2]?.[i] ?? 0)) / 2;
  return [of(0), of(1)];
}

// history makes a table of the share, with a bar for each month.
function history(c: Coverage): (HTMLElement | null)[] {
  const list = months(c);
  if (list.length === 0) return [];
  const bar = (share: number) => {
    const element = h("span", { class: "bar", "aria-hidden": "true" });
    element.style.inlineSize = `${Math.max(0.5, share * 100)}%`;
    return element;
  };
  const month = (start: string) =>
    new Date(Date.parse(start) + 12 * 3600_000).toLocaleDateString(language() === "de" ? "de-DE" : "en-GB", {
      month: "long",
      year: "numeric",
      timeZone: "UTC",
    });
  return [
    h("h2", {}, t("coverage.months")),
    h(
      "table",
      { class: "months" },
      h("thead", {}, h("tr", {}, ...[t("coverage.month"), t("coverage.share")].map((c) => h("th", { scope: "col" }, c)))),
      h(
        "tbody",
        {},
        ...list.map((p) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, month(p.start)),
            h("td", {}, h("span", { class: "amount" }, percent(p.share)), bar(p.share)),
          ),
        ),
      ),
    ),
  ];
}
