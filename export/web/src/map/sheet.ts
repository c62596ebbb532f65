// On a phone the choices lie on a sheet over the map, which slides up from its lower edge. On a wide screen they stand beside it.
import { h } from "../dom";
import { t } from "../language";

export interface Sheet {
  readonly element: HTMLElement;
  setTitle(text: string): void;
  close(): void;
  height(): number; // pixels of the map that it covers when it is down; 0 beside it
}

const wide = matchMedia("(min-width: 900px)"); // as in map.css
const swipe = 24; // pixels that count as a swipe

export function sheet(...content: HTMLElement[]): Sheet {
  const title = h("span", {});
  const handle = h("button", { type: "button", class: "sheet-handle", "data-key": "sheet", "aria-controls": "sheet" }, title);
  const body = h("div", { class: "sheet-body", id: "sheet" }, ...content);
  const element = h("div", { class: "side" }, handle, body);
  let open = false;
  let from: number | null = null; // where a finger began on the handle
  let swiped = false;

  function show(): void {
    element.classList.toggle("open", open);
    handle.setAttribute("aria-expanded", String(open));
    body.inert = !open && !wide.matches;
  }
  function set(to: boolean): void {
    open = to;
    show();
  }
  handle.addEventListener("click", () => {
    if (!swiped) set(!open);
    swiped = false;
  });
  handle.addEventListener("pointerdown", (e) => {
    from = e.clientY;
    swiped = false;
    handle.setPointerCapture(e.pointerId);
  });
  handle.addEventListener("pointermove", (e) => {
    if (from === null || Math.abs(e.clientY - from) < swipe) return;
    swiped = true;
    set(e.clientY < from);
    from = null;
  });
  handle.addEventListener("pointerup", () => (from = null));
  element.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || !open || wide.matches) return;
    set(false);
    handle.focus();
    e.stopPropagation();
  });
  wide.addEventListener("change", show);
  show();
  return {
    element,
    setTitle(text) {
      title.textContent = text;
      handle.setAttribute("aria-label", `${t("map.sheet")}: ${text}`);
    },
    close: () => set(false),
    height: () => (wide.matches ? 0 : handle.offsetHeight),
  };
}
