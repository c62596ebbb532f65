// The layout of the page of a station. It shows the state; what a person does goes to actions, which change it.
import { update, h, redraw } from "../dom";
import { language, t } from "../language";
import { placeText } from "../map/surroundings";
import { healthParts, problemParts } from "./diagnosis";
import { history } from "./history";
import { management } from "./management";
import { measured } from "./measured";
import { title, zone, type PlotChoice, type State } from "./state";

export interface Actions {
  plot(choice: Partial<PlotChoice>): void;
  changed(): void; // the owner has changed something of the station
  remove(readings: "keep" | "erase"): void; // the owner has removed the station
}

export function layout(main: HTMLElement, s: State, actions: Actions): { render(): void } {
  const parts = {
    head: h("div", { class: "stack" }),
    health: h("section", { class: "panel stack" }),
    problems: h("section", { class: "panel stack", hidden: true }),
    history: h("section", { class: "stack" }),
    manage: h("section", { class: "stack" }),
  };
  const values = measured(s, actions.plot);
  const renderManagement = redraw(() => parts.manage.replaceChildren(managementPart(s, actions)));
  main.replaceChildren(
    h(
      "div",
      { class: "wide station" },
      parts.head,
      h("div", { class: "station-top" }, parts.health, parts.problems),
      values.element,
      parts.history,
      parts.manage,
    ),
  );

  function render(): void {
    if (s.removed) return update(main, removedPage(s.removed));
    update(parts.head, ...head(s));
    update(parts.health, ...healthParts(s));
    parts.problems.hidden = !s.health;
    update(parts.problems, ...problemParts(s));
    values.render();
    parts.history.hidden = !s.station;
    if (s.station) update(parts.history, ...history(s.station, zone(s)));
    renderManagement(s.city && s.owner, language()); // not more often, because of what is being typed there
  }
  return { render };
}

function head(s: State): HTMLElement[] {
  const heading = h("h1", {}, title(s));
  if (!s.station) return [heading];
  const demo = s.station.properties.demo ? ` · ${t("station.demo")}` : "";
  const [lon = 0, lat = 0] = s.station.geometry.coordinates;
  const where = placeText({ lon, lat });
  return [h("p", { class: "quiet" }, [t("station.title", { id: s.id }), where].filter(Boolean).join(" · "), demo), heading];
}

function managementPart(s: State, actions: Actions): HTMLElement {
  if (s.city && s.owner) return management(s.id, s.owner, s.city, actions);
  return h(
    "details",
    {},
    h("summary", {}, t("manage.yours")),
    h("div", {}, h("p", {}, t("manage.how")), h("p", {}, h("a", { href: "/mine", "data-key": "mine" }, t("mine.heading")))),
  );
}

// removedPage replaces the page of a station that its owner has removed.
const removedPage = (readings: "keep" | "erase"): HTMLElement =>
  h(
    "div",
    { class: "text" },
    h("h1", { tabindex: "-1" }, t("manage.removed")),
    h("p", {}, t(readings === "erase" ? "manage.removedErased" : "manage.removedKept")),
    h("p", {}, h("a", { href: "/" }, t("frame.toMap"))),
  );
