// A few lines to make elements with.
type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | ((e: Event) => void) | null>;

// h makes an element. Attributes that are functions listen; null and false leave an attribute out.
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((c): c is Node | string => c !== null));
  return element;
}

// swatch is a coloured square. Its colour is set by script, which the Content-Security-Policy allows.
export function swatch(colour: string, hatched = false): HTMLElement {
  const element = h("span", { class: hatched ? "swatch hatched" : "swatch", "aria-hidden": "true" });
  element.style.backgroundColor = colour;
  return element;
}
