// A leaflet for schools, to be printed on two sheets: build a kit, ask a question, read the data.
import { bullets, paragraph, section } from "../article";
import { update, h } from "../dom";
import type { Frame, Page } from "../frame";
import { t, type Key } from "../language";
import "../about/about.css";
import "./school.css";

const keys = (name: string, n: number): string[] => Array.from({ length: n }, (_, i) => `school.${name}${i + 1}`);

export function open(frame: Frame): Page {
  const body = h("div", { class: "text article leaflet" });
  frame.main.replaceChildren(body);
  const render = (): void =>
    update(
      body,
      h("h1", {}, t("school.heading")),
      h("p", { class: "lead" }, t("school.lead")),
      h(
        "p",
        { class: "no-print" },
        h("button", { type: "button", class: "button second", "data-key": "print", click: () => print() }, t("school.print")),
      ),
      section("air", t("school.air"), paragraph("school.airIs")),
      section(
        "build",
        t("school.build"),
        paragraph("school.buildIs"),
        bullets(keys("part", 4)),
        bullets(keys("step", 6), undefined, "ol"),
        h("p", {}, h("a", { href: "/register", "data-key": "register" }, t("school.register"))),
      ),
      section("ask", t("school.ask"), paragraph("school.askIs"), bullets(keys("question", 6))),
      section("fair", t("school.fair"), bullets(keys("fair", 4))),
      section("read", t("school.read"), bullets(keys("read", 5)), h("p", { class: "links" }, ...links())),
      section("sheet", t("school.sheet"), paragraph("school.sheetIs"), sheet()),
      section("teachers", t("school.teachers"), bullets(keys("teacher", 4))),
    );
  return { title: () => t("school.heading"), render };
}

function links(): (HTMLElement | string)[] {
  const link = (to: string, key: Key) => h("a", { href: to, "data-key": to }, t(key));
  return [link("/", "frame.map"), " · ", link("/data", "frame.data"), " · ", link("/about", "frame.about")];
}

// sheet makes a table to fill in by hand.
function sheet(): HTMLElement {
  const columns = (["time", "value", "weather", "seen"] as const).map((c) => t(`school.column_${c}`));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": t("school.table") },
    h(
      "table",
      { class: "sheet" },
      h("thead", {}, h("tr", {}, ...columns.map((c) => h("th", { scope: "col" }, c)))),
      h("tbody", {}, ...Array.from({ length: 6 }, () => h("tr", {}, ...columns.map(() => h("td", {}, "\u00a0"))))),
    ),
  );
}
