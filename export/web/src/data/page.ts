// The page for downloads: choose data, and get its address or code that reads it.
import type { City } from "../api";
import { copyable } from "../copyable";
import { update, h } from "../dom";
import type { Frame, Page } from "../frame";
import { name, number, t, type Key } from "../language";
import { days, fileName, formats, maxDays, route, snippets, type Format, type Download, type Dataset } from "./download";
import "./data.css";

const day = 86_400_000; // milliseconds
const date = (at: number): string => new Date(at).toISOString().slice(0, 10);

// sources are other addresses of the same data.
const sources = ["/archive/", "/api", "/ogc", "/sta/v1.1", "/catalog", "/api/v1/stream"] as const;
const sourceKeys: readonly Key[] = ["data.archive", "data.api", "data.ogc", "data.sta", "data.catalog", "data.stream"];

export function open(frame: Frame): Page {
  let city: City | null = null;
  let download: Download = {
    what: "grid",
    quantity: "pm2_5",
    window: "1h",
    from: date(Date.now() - day),
    to: date(Date.now()),
    format: "csv",
    good: true,
  };
  const parts = {
    head: h("div", { class: "text" }),
    form: h("form", { class: "panel choose", submit: (e) => e.preventDefault() }),
    result: h("section", { class: "panel result" }),
    sources: h("div", { class: "text" }),
  };
  frame.main.replaceChildren(h("div", { class: "wide" }, parts.head, h("div", { class: "pair" }, parts.form, parts.result), parts.sources));

  function change(part: Partial<Download>): void {
    download = { ...download, ...part };
    if (!formats[download.what].includes(download.format)) download.format = formats[download.what][0] ?? "csv";
    if (download.from > download.to) download = part.from ? { ...download, to: download.from } : { ...download, from: download.to };
    render();
  }

  function render(): void {
    update(
      parts.head,
      h("h1", {}, t("data.heading")),
      h("p", { class: "lead" }, t("data.lead")),
      h("ul", {}, ...audiences.map((a) => h("li", {}, h("strong", {}, t(`data.${a}` as Key)), ` ${t(`data.${a}Has` as Key)}`))),
    );
    update(parts.form, ...choices());
    update(parts.result, ...result());
    update(
      parts.sources,
      h("h2", {}, t("data.ways")),
      h("ul", {}, ...sources.map((to, i) => h("li", {}, h("a", { href: to, "data-key": to }, to), ` ${t(sourceKeys[i] ?? "data.api")}`))),
      ...licence(),
    );
  }

  const audiences = ["office", "science", "press", "developers"] as const;

  function select<T extends string>(label: Key, key: keyof Download, options: readonly [T, string][]): HTMLElement {
    const change_ = (e: Event) => change({ [key]: (e.target as HTMLSelectElement).value });
    return h(
      "label",
      {},
      h("span", {}, t(label)),
      h(
        "select",
        { "data-key": key, id: key, change: change_ },
        ...options.map(([value, text]) => h("option", { value, selected: value === download[key] }, text)),
      ),
    );
  }

  function choices(): (HTMLElement | null)[] {
    const kinds = (["grid", "districts", "readings", "means", "stations"] as const).filter(
      (w) => w !== "districts" || (city?.properties.districts ?? 0) > 0,
    );
    const noPeriod = download.what === "stations";
    const hasWindow = download.what !== "readings" && !noPeriod;
    const pick = (key: "from" | "to", label: Key) =>
      h(
        "label",
        {},
        h("span", {}, t(label)),
        h("input", {
          type: "date",
          "data-key": key,
          id: key,
          value: download[key],
          max: date(Date.now()),
          change: (e) => (e.target as HTMLInputElement).value && change({ [key]: (e.target as HTMLInputElement).value }),
        }),
      );
    const known = city?.properties.quantities.map((q) => q.quantity) ?? ["pm2_5"];
    return [
      h("h2", {}, t("data.choose")),
      select<Dataset>(
        "data.what",
        "what",
        kinds.map((k) => [k, t(`data.${k}` as Key)]),
      ),
      hasWindow
        ? select("data.window", "window", [
            ["1h", t("data.hours")],
            ["24h", t("data.days")],
          ])
        : null,
      noPeriod ? null : select("map.quantity", "quantity", [["", t("data.every")], ...known.map((q): [string, string] => [q, name(q)])]),
      noPeriod ? null : h("div", { class: "two" }, pick("from", "data.from"), pick("to", "data.to")),
      select<Format>(
        "data.format",
        "format",
        formats[download.what].map((f) => [f, t(`data.format_${f}` as Key)]),
      ),
      download.what === "readings"
        ? h(
            "label",
            { class: "check" },
            h("input", {
              type: "checkbox",
              "data-key": "good",
              checked: download.good,
              change: (e) => change({ good: (e.target as HTMLInputElement).checked }),
            }),
            h("span", {}, t("data.good")),
          )
        : null,
    ];
  }

  function result(): HTMLElement[] {
    const address = location.origin + route(download);
    if (days(download) > maxDays(download))
      return [h("h2", {}, t("data.result")), h("p", { class: "trouble" }, t("data.tooLong", { days: number(maxDays(download), 0) }))];
    return [
      h("h2", {}, t("data.result")),
      h(
        "p",
        {},
        h("a", { class: "button", href: route(download), download: fileName(download), "data-key": "download" }, t("data.download")),
      ),
      copyable(address, t("data.address"), true),
      ...snippets(download, address).map(([tool, code]) =>
        h("details", { class: "snippet" }, h("summary", { "data-key": `tool-${tool}` }, tool), copyable(code, tool, true)),
      ),
    ];
  }

  function licence(): HTMLElement[] {
    return [
      h("h2", {}, t("data.licence")),
      h("p", {}, city ? t("data.licenceIs", { licence: city.licence, attribution: city.attribution }) : t("frame.loading")),
      h("p", {}, t("data.neighbours")),
      h("h2", {}, t("data.mind")),
      h("ul", {}, ...(["mindUtc", "mindFlags", "mindGrid", "mindCorrected", "mindPlace"] as const).map((k) => h("li", {}, t(`data.${k}`)))),
    ];
  }

  void frame.city.then((got) => {
    city = got;
    render();
  });
  return { title: () => t("data.heading"), render };
}
