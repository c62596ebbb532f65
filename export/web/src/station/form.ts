// A form of the management.
import { errorText } from "../client";
import { h } from "../dom";

export interface Form {
  title: string;
  why: string;
  fields: HTMLElement[];
  action: string; // on the button
  send(): Promise<void>;
  danger?: boolean;
}

// form makes a form for one change: a closed fold with its own error message.
export function form({ title, why, fields, action, send, danger = false }: Form): HTMLDetailsElement {
  const error = h("p", { role: "alert" });
  const button = h("button", { type: "submit", class: "button" }, action);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    button.disabled = true;
    await attempt(send, error);
    button.disabled = false;
  };
  return h(
    "details",
    { class: danger ? "danger" : "" },
    h("summary", {}, title),
    h(
      "div",
      {},
      h(
        "form",
        { class: "stack", novalidate: true, submit: (e) => void submit(e) },
        h("p", {}, why),
        ...fields,
        error,
        h("p", { class: "row" }, button),
      ),
    ),
  );
}

// attempt calls a function and shows its error.
export async function attempt(act: () => Promise<void>, error: HTMLElement): Promise<void> {
  error.className = error.textContent = "";
  try {
    await act();
  } catch (e) {
    error.className = "trouble";
    error.textContent = errorText(e);
  }
}
