// Helpers to make and update elements.
type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | ((e: Event) => void) | null>;

// h makes an element. Attributes that are functions are event listeners; null and false leave an attribute out.
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

// update gives an element new children and keeps those that are equal, so that a page that renders again does not take away the
// focus, close a list or scroll a table back. The focus of an element that is replaced goes to the new one with the same data-key.
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

// reconcile makes old's children equal to next's. Elements that can have listeners are kept or replaced as a whole, so that what
// they do always fits what they show.
function reconcile(old: Element, next: Element): void {
  if (old.isEqualNode(next)) return;
  const [before, after] = [[...old.childNodes], [...next.childNodes]];
  if (before.length !== after.length) return old.replaceChildren(...after);
  before.forEach((a, i) => {
    const b = after[i];
    if (a instanceof HTMLDetailsElement && b instanceof HTMLDetailsElement) b.open = a.open; // it is the person who opens it
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

// swatch makes a coloured square. The Content-Security-Policy forbids style attributes, but not setting styles by script.
export function swatch(colour: string, hatched = false): HTMLElement {
  const element = h("span", { class: hatched ? "swatch hatched" : "swatch", "aria-hidden": "true" });
  element.style.backgroundColor = colour;
  element.style.setProperty("--colour", colour); // for a map that mixes it with what is below
  return element;
}
