// A dialog over the page, which closes with Escape, with its button, and by a click beside it.
import { h } from "./dom";
import { t } from "./language";
import "./dialog.css";

let count = 0; // of dialogs, for their ids

// openDialog shows a dialog; the browser gives the focus back where it was when it closes.
export function openDialog(title: string, ...content: Node[]): HTMLDialogElement {
  const id = `dialog-${(count += 1)}`;
  const close = h("button", { type: "button", class: "close", "aria-label": t("map.close"), click: () => dialog.close() }, "×");
  const dialog: HTMLDialogElement = h(
    "dialog",
    { class: "sheet-dialog", "aria-labelledby": id, close: () => dialog.remove() },
    h("div", { class: "dialog-head" }, h("h2", { id, tabindex: "-1", autofocus: true }, title), close),
    h("div", { class: "stack" }, ...content),
  );
  dialog.addEventListener("click", (e) => {
    if (e.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (e) => e.stopPropagation()); // Escape closes the dialog alone
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
