// Parts of forms and pages.
import { h } from "./dom";

type Child = Node | string | null;

let lastNumber = 0;

// field makes a control with its label above and, where there is one, a hint below, which screen readers read with it.
export function field(label: string, control: HTMLElement, hint = ""): HTMLElement {
  control.id ||= `field-${++lastNumber}`;
  const note = hint ? h("p", { class: "quiet", id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, h("span", {}, label)), control, note);
}

// radios makes a group of radio buttons and calls chosen with the value.
export function radios(
  legend: string,
  name: string,
  options: readonly (readonly [value: string, text: string])[],
  value: string,
  chosen: (value: string) => void,
): HTMLElement {
  return h(
    "fieldset",
    { class: "pick" },
    h("legend", { class: "caption" }, legend),
    h(
      "div",
      { class: "options" },
      ...options.map(([option, text]) =>
        h(
          "label",
          {},
          h("input", {
            type: "radio",
            name,
            value: option,
            checked: option === value,
            "data-key": `${name}-${option}`,
            change: () => chosen(option),
          }),
          h("span", {}, text),
        ),
      ),
    ),
  );
}

// select makes a select and calls chosen with the value.
export function select(
  options: readonly (readonly [value: string, text: string])[],
  value: string,
  chosen: (value: string) => void,
): HTMLSelectElement {
  return h(
    "select",
    { change: (e) => chosen((e.target as HTMLSelectElement).value) },
    ...options.map(([option, text]) => h("option", { value: option, selected: option === value }, text)),
  );
}

// button makes a button that calls press.
export const button = (text: string, press: () => void, second = false): HTMLButtonElement =>
  h("button", { type: "button", class: second ? "button second" : "button", click: press }, text);

// tabs shows one of several panels; arrow keys, Home and End change it.
export function tabs(label: string, panels: readonly { title: string; body: Child[] }[], first: number): HTMLElement {
  const id = `tabs-${++lastNumber}`;
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
  const strip = h("div", { role: "tablist", "aria-label": label }, ...heads);
  requestAnimationFrame(() => (strip.scrollLeft = (heads[first]?.offsetLeft ?? 0) - strip.offsetLeft)); // where they are wider than the screen
  return h("div", { class: "tabs" }, strip, ...bodies);
}

// facts makes a list of terms with their values.
export function facts(rows: readonly (readonly [string, Child])[]): HTMLElement {
  return h("dl", { class: "facts" }, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

// table makes a table that can be scrolled by keyboard.
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...columns.map((c) => h("th", { scope: "col" }, c)))),
      h(
        "tbody",
        {},
        ...rows.map((row) => h("tr", {}, ...row.map((cell, i) => (i === 0 ? h("th", { scope: "row" }, cell) : h("td", {}, cell))))),
      ),
    ),
  );
}
