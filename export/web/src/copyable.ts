import { h } from "./dom";
import { t } from "./language";

// copyable makes text with a button that copies it and says so. key is the button's data-key, for pages that render again.
export function copyable(text: string, what: string, block = false, key = what): HTMLElement {
  const button = h(
    "button",
    {
      type: "button",
      class: "button second",
      "aria-label": `${t("key.copy")}: ${what}`,
      "data-key": `copy-${key}`,
      click: (e) => void copy(e.currentTarget as Element),
    },
    t("key.copy"),
  );
  const shown = block
    ? h("pre", { tabindex: "0", role: "region", "aria-label": what }, h("code", {}, text))
    : h("code", { class: "secret" }, text);
  return h(
    "div",
    { class: block ? "copyable block" : "copyable" },
    shown,
    h("span", { class: "row" }, button, h("span", { role: "status", class: "quiet" })),
  );
}

// copy copies the text beside the button, which may have changed since the button was made.
async function copy(button: Element): Promise<void> {
  const all = button.closest(".copyable");
  const say = (word: string) => all?.querySelector("[role=status]")?.replaceChildren(word);
  try {
    await navigator.clipboard.writeText(all?.querySelector("code")?.textContent ?? "");
    say(t("key.copied"));
  } catch {
    say(t("key.copyYourself"));
  }
}
