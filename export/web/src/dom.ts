// A few lines to make elements with.
type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | ((e: Event) => void) | null>;

// h makes an element. Attributes that are functions listen; null and false leave an attribute out.
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((c): c is Node | string => c !== null));
  return element;
}

// fill gives an element new children and keeps what did not change, so that a page that redraws itself
// leaves the focus, an open list and a scrolled table alone. What is replaced while it has the focus
// hands it to the new element with the same data-key.
export function update(parent: Element, ...children: Child[]): void {
  const next = parent.cloneNode(false) as Element;
  next.append(...children.filter((c): c is Node | string => c !== null));
  const key = parent.contains(document.activeElement) ? document.activeElement?.getAttribute("data-key") : null;
  const had = document.activeElement;
  reconcile(parent, next);
  if (key && document.activeElement !== had) {
    parent.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }
}

// settle makes old's children equal to next's. It goes down only where nothing can listen: a control is
// kept whole or replaced whole, so what it does always fits what it says.
function reconcile(old: Element, next: Element): void {
  if (old.isEqualNode(next)) return;
  const [before, after] = [[...old.childNodes], [...next.childNodes]];
  if (before.length !== after.length) return old.replaceChildren(...after);
  before.forEach((a, i) => {
    const b = after[i];
    if (a instanceof HTMLDetailsElement && b instanceof HTMLDetailsElement) b.open = a.open; // a person decides that
    if (!b || a.isEqualNode(b)) return;
    const same =
      a instanceof Element && b instanceof Element && !a.matches("button, select, a") && a.cloneNode(false).isEqualNode(b.cloneNode(false));
    if (same) reconcile(a, b);
    else old.replaceChild(b, a);
  });
}

// redraw returns a function that calls draw when what it is given is not the same as the last time.
export function redraw(draw: () => void): (...depends: unknown[]) => void {
  let last: unknown[] | null = null;
  return (...depends) => {
    if (last?.every((value, i) => value === depends[i])) return;
    last = depends;
    draw();
  };
}

// swatch is a coloured square. Its colour is set by script, which the Content-Security-Policy allows.
export function swatch(colour: string, hatched = false): HTMLElement {
  const element = h("span", { class: hatched ? "swatch hatched" : "swatch", "aria-hidden": "true" });
  element.style.backgroundColor = colour;
  return element;
}
