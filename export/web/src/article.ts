// Parts of pages of text, made from messages.
import { h } from "./dom";
import { t, type Key } from "./language";

export const paragraph = (key: string, values?: Record<string, string>): HTMLElement => h("p", {}, t(key as Key, values));

// bullets makes a list of messages; " : " in one ends a term.
export function bullets(keys: readonly string[], values?: Record<string, string>, tag: "ul" | "ol" = "ul"): HTMLElement {
  return h(tag, {}, ...keys.map((key) => h("li", {}, ...withTerm(t(key as Key, values)))));
}

function withTerm(text: string): (Node | string)[] {
  const [term, rest] = text.split(" : ");
  return rest === undefined ? [text] : [h("strong", {}, `${term}:`), ` ${rest}`];
}

// section makes a section with a heading, which links can lead to.
export function section(id: string, heading: string, ...children: (HTMLElement | null)[]): HTMLElement {
  return h("section", { id, "aria-labelledby": `${id}-heading` }, h("h2", { id: `${id}-heading` }, heading), ...children);
}
