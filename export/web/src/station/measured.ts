// What a station has measured: the choice of quantity and period, the plot, the same as a table, and downloads.
import { update, h, redraw } from "../dom";
import { language, name, t } from "../language";
import { lookBackButton } from "../lookback/button";
import { shareButton } from "../share/button";
import { sharedPlot } from "./shared";
import { darkScheme, forcedColours } from "../map/theme";
import { deviationOf } from "../api";
import { besideText } from "../map/text";
import { field, select, radios } from "../parts";
import { plot, values } from "./plot";
import { startOf, periods, readingsRoute, type Period } from "./series";
import { quantities, title, zone, type PlotChoice, type State } from "./state";

export function measured(s: State, choose: (choice: Partial<PlotChoice>) => void): { element: HTMLElement; render(): void } {
  const heading = h("h2", {});
  const none = h("p", {});
  const controls = h("div", { class: "plot-controls" });
  const waiting = h("p", { class: "quiet plot-waiting", role: "status" });
  const picture = h("div", { class: "stack" });
  const downloads = h("p", { class: "quiet" });
  const looks = h("div", { class: "row" });
  const beside = h("p", { class: "quiet" });
  const element = h("section", { class: "panel stack" }, heading, none, waiting, picture, beside, looks, downloads);
  const renderPicture = redraw(() => picture.replaceChildren(...plotParts(s, picture)));

  function render(): void {
    element.hidden = !s.station;
    if (!s.station) return;
    heading.textContent = t("station.values");
    none.textContent = t("station.noValues");
    const [shown, other] = quantities(s).length > 0 ? [controls, none] : [none, controls];
    if (other.parentElement) other.replaceWith(shown);
    update(controls, ...choices(s, choose));
    waiting.textContent = s.plotting ? t("series.waiting", { period: t(`station.period_${s.period}`) }) : "";
    picture.setAttribute("aria-busy", String(s.plotting));
    renderPicture(s.plotted, s.plotFailure, language(), darkScheme.matches, forcedColours.matches);
    const subject = { place: { kind: "station", id: s.id } as const, title: title(s), quantity: s.quantity };
    update(looks, ...(s.quantity ? [lookBackButton(subject, s.city), shareButton(() => sharedPlot(s, picture), s.city, "plot")] : []));
    update(beside, ...uncertainty(s));
    update(downloads, `${t("station.download", { period: t(`station.period_${s.period}`) })}: `, ...links(s));
  }
  return { element, render };
}

// uncertainty says what an hour of the city's stations is worth beside official instruments, where that is compared.
function uncertainty(s: State): (Node | string)[] {
  const found = deviationOf(s.quantity, s.comparison);
  if (!found || s.station?.properties.official) return [];
  return [`${besideText(found)} `, h("a", { href: "/comparison", "data-key": "comparison" }, t("comparison.more"))];
}

function choices(s: State, choose: (choice: Partial<PlotChoice>) => void): HTMLElement[] {
  const offered = [...new Set([...quantities(s), s.quantity])].filter(Boolean); // an address may name one that is not sent any more
  const control = select(
    offered.map((q) => [q, name(q)]),
    s.quantity || (offered[0] ?? ""),
    (quantity) => choose({ quantity }),
  );
  control.id = "plot-quantity";
  control.setAttribute("data-key", "quantity");
  return [
    field(t("station.quantity"), control),
    radios(
      t("station.period"),
      "period",
      periods.map((p) => [p, t(`station.period_${p}`)]),
      s.period,
      (period) => choose({ period: period as Period }),
    ),
  ];
}

function plotParts(s: State, before: HTMLElement): HTMLElement[] {
  if (s.plotFailure) return [h("p", { class: "trouble" }, s.plotFailure())];
  if (!s.plotted) return [];
  const open = before.querySelector("details")?.open ?? false; // as the person left it
  const { series, readings } = s.plotted;
  const means = series.corrected.some((mean) => mean !== null);
  return [
    ...(means ? [] : [h("p", { class: "hint" }, t(series.window === "1h" ? "station.noMeans" : "station.noDays"))]),
    ...(means || readings?.at.length ? [plot(s.plotted, zone(s))] : []),
    h("p", { class: "quiet" }, t(series.window === "1h" ? "station.plotNote" : "series.dayNote")),
    h("details", { open }, h("summary", {}, t("station.asTable")), h("div", {}, values(s.plotted, zone(s)))),
  ];
}

// links returns links to the readings of the period; GeoJSON has at most 31 days at once, and says so.
function links(s: State): (Node | string)[] {
  const now = new Date();
  const link = (format: "csv" | "geojson", text: string, period: Period) =>
    h("a", { href: readingsRoute(s.id, startOf(period, now), now, format), "data-key": format }, text);
  const short: Period = s.period === "365d" ? "30d" : s.period;
  const geojson = short === s.period ? "GeoJSON" : t("series.only", { format: "GeoJSON", period: t(`station.period_${short}`) });
  return [link("csv", "CSV", s.period), " ", link("geojson", geojson, short), " "];
}
