// Small parts that forms and pages with keys are made of.
import qrcode from "qrcode-generator";
import { h } from "./dom";
import { t } from "./language";

type Child = Node | string | null;

let numbered = 0;

// field is a control with its label above and, where there is one, a hint below that is read with it.
export function field(label: string, control: HTMLElement, hint = ""): HTMLElement {
  control.id ||= `field-${++numbered}`;
  const note = hint ? h("p", { class: "quiet", id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, h("span", {}, label)), control, note);
}

// pick is a group of radio buttons; chosen hears of the value.
export function pick(legend: string, name: string, options: readonly (readonly [value: string, text: string])[], value: string, chosen: (value: string) => void): HTMLElement {
  return h(
    "fieldset",
    { class: "pick" },
    h("legend", { class: "caption" }, legend),
    h(
      "div",
      { class: "options" },
      ...options.map(([option, text]) =>
        h("label", {}, h("input", { type: "radio", name, value: option, checked: option === value, change: () => chosen(option) }), h("span", {}, text)),
      ),
    ),
  );
}

// list is a select.
export function list(options: readonly (readonly [value: string, text: string])[], value: string, chosen: (value: string) => void): HTMLSelectElement {
  return h(
    "select",
    { change: (e) => chosen((e.target as HTMLSelectElement).value) },
    ...options.map(([option, text]) => h("option", { value: option, selected: option === value }, text)),
  );
}

// button does something when pressed.
export const button = (text: string, press: () => void, second = false): HTMLButtonElement =>
  h("button", { type: "button", class: second ? "button second" : "button", click: press }, text);

// copyable is text with a button that copies it and says so.
export function copyable(text: string, what: string, block = false): HTMLElement {
  const copy = h("button", { type: "button", class: "button second copy", "aria-label": `${t("key.copy")}: ${what}` }, t("key.copy"));
  copy.addEventListener("click", () => {
    void navigator.clipboard.writeText(text).then(
      () => (copy.textContent = t("key.copied")),
      () => (copy.textContent = t("key.copyYourself")),
    );
  });
  const shown = block ? h("pre", { tabindex: "0", role: "region", "aria-label": what }, h("code", {}, text)) : h("code", { class: "secret" }, text);
  return h("div", { class: block ? "copyable block" : "copyable" }, shown, copy);
}

// qr is a text as a picture for a camera, black on white with its quiet zone.
export function qr(text: string, alternative: string): SVGSVGElement {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const [n, quiet] = [code.getModuleCount(), 4];
  let path = "";
  for (let row = 0; row < n; row++) for (let column = 0; column < n; column++) if (code.isDark(row, column)) path += `M${column + quiet} ${row + quiet}h1v1h-1z`;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const side = n + 2 * quiet;
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${side} ${side}`, class: "qr", role: "img", "aria-label": alternative, "shape-rendering": "crispEdges" })) svg.setAttribute(name, value);
  for (const [colour, d] of [["#fff", `M0 0h${side}v${side}h-${side}z`], ["#000", path]] as const) {
    const part = document.createElementNS(svg.namespaceURI, "path");
    part.setAttribute("fill", colour);
    part.setAttribute("d", d);
    svg.append(part);
  }
  return svg;
}

// tabs show one of several panels; arrows, Home and End go between them.
export function tabs(label: string, panels: readonly { title: string; body: Child[] }[], first: number): HTMLElement {
  const id = `tabs-${++numbered}`;
  const heads: HTMLButtonElement[] = [];
  const bodies: HTMLElement[] = [];
  const show = (i: number, focus: boolean): void => {
    heads.forEach((head, j) => {
      head.setAttribute("aria-selected", String(i === j));
      head.tabIndex = i === j ? 0 : -1;
    });
    bodies.forEach((body, j) => (body.hidden = i !== j));
    if (focus) heads[i]?.focus();
  };
  panels.forEach((panel, i) => {
    const head = h("button", { type: "button", role: "tab", id: `${id}-${i}`, "aria-controls": `${id}-panel-${i}` }, panel.title);
    head.addEventListener("click", () => show(i, false));
    head.addEventListener("keydown", (e) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: panels.length - 1 }[e.key];
      if (to === undefined) return;
      e.preventDefault();
      show((to + panels.length) % panels.length, true);
    });
    heads.push(head);
    bodies.push(h("div", { role: "tabpanel", id: `${id}-panel-${i}`, "aria-labelledby": `${id}-${i}` }, ...panel.body));
  });
  show(first, false);
  return h("div", { class: "tabs" }, h("div", { role: "tablist", "aria-label": label }, ...heads), ...bodies);
}

// facts are terms and what they are.
export function facts(rows: readonly (readonly [string, Child])[]): HTMLElement {
  return h("dl", { class: "facts" }, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

// table is rows under columns, which a keyboard can scroll.
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...columns.map((c) => h("th", { scope: "col" }, c)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, i) => (i === 0 ? h("th", { scope: "row" }, cell) : h("td", {}, cell)))))),
    ),
  );
}
