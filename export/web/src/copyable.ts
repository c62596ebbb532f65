import { h } from "./dom";
import { t } from "./language";

// copyable is text with a button that copies it and says so; key tells its button from others where a page redraws itself.
export function copyable(text: string, what: string, block = false, key = what): HTMLElement {
  const said = h("span", { role: "status", class: "quiet" });
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = t("key.copied");
    } catch {
      said.textContent = t("key.copyYourself");
    }
  };
  const button = h("button", { type: "button", class: "button second", "aria-label": `${t("key.copy")}: ${what}`, "data-key": `copy-${key}`, click: () => void copy() }, t("key.copy"));
  const shown = block ? h("pre", { tabindex: "0", role: "region", "aria-label": what }, h("code", {}, text)) : h("code", { class: "secret" }, text);
  return h("div", { class: block ? "copyable block" : "copyable" }, shown, h("span", { class: "row" }, button, said));
}
