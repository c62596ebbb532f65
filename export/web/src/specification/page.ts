// The specification of what a station says: the document that the program keeps, firmware-protocol/README.md. It is in English.
import { marked } from "marked";
import text from "../../../../firmware-protocol/README.md?raw";
import { h } from "../dom";
import type { Frame, Page } from "../frame";
import { t } from "../language";
import "./specification.css";

export function open(frame: Frame): Page {
  const lead = h("p", { class: "quiet" });
  const document = specification(text);
  frame.main.replaceChildren(h("div", { class: "text" }, lead, document));
  // An address leads to a paragraph that the browser could not find while the page was empty.
  const jump = (): void => {
    const found = location.hash && document.querySelector(`#${CSS.escape(location.hash.slice(1))}`);
    document.querySelector(".meant")?.classList.remove("meant");
    if (!found) return;
    found.classList.add("meant");
    found.scrollIntoView({ block: "center" });
  };
  requestAnimationFrame(jump);
  addEventListener("hashchange", jump);
  return { title: () => t("specification.title"), render: () => (lead.textContent = t("specification.english")) };
}

// specification makes the document; headings and reasons can be linked to. Links to other files of the program are text.
function specification(markdown: string): HTMLElement {
  const element = h("article", { class: "specification", lang: "en" });
  element.innerHTML = marked.parse(markdown, { async: false }); // our own text
  for (const heading of element.querySelectorAll("h1, h2, h3")) heading.id = anchor(heading.textContent ?? "");
  for (const link of element.querySelectorAll("a"))
    if (!/^(https?:|#)/.test(link.getAttribute("href") ?? "")) link.replaceWith(...link.childNodes);
  for (const [i, table] of element.querySelectorAll("table").entries()) {
    const label = t("specification.table", { number: String(i + 1), column: table.querySelector("th")?.textContent ?? "" });
    const scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label });
    table.replaceWith(scroll);
    scroll.append(table);
  }
  for (const block of element.querySelectorAll("pre")) block.tabIndex = 0;
  for (const row of element.querySelectorAll("tbody tr")) {
    const code = row.firstElementChild?.textContent ?? "";
    if (/^[a-z_]+$/.test(code) && row.closest("table")?.querySelector("th")?.textContent === "reason") row.id = `reason-${code}`;
  }
  return element;
}

const anchor = (heading: string): string => heading.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
