// A short list on the map, where a finger is at a station and a cell, or at several stations.
import { h } from "../dom";
import { t } from "../language";
import type { Point } from "./camera";
import type { Chosen } from "./view";

export class Chooser {
  private element = h("div", { class: "map-choice", role: "group", hidden: true });

  constructor(
    private container: HTMLElement,
    private choose: (what: Chosen) => void,
    private describe: (what: Chosen) => string,
  ) {
    container.append(this.element);
  }

  // open shows the list beside a point in pixels.
  open([x, y]: Point, list: readonly Chosen[]): void {
    const button = (what: Chosen) => h("button", { type: "button", click: () => this.choose(what) }, this.describe(what));
    this.element.setAttribute("aria-label", t("map.which"));
    this.element.replaceChildren(...list.map(button));
    this.element.hidden = false;
    const { clientWidth, clientHeight } = this.container;
    const { offsetWidth, offsetHeight } = this.element;
    this.element.style.left = `${Math.max(8, Math.min(x - offsetWidth / 2, clientWidth - offsetWidth - 8))}px`;
    this.element.style.top = `${y + 16 + offsetHeight < clientHeight ? y + 16 : Math.max(8, y - 16 - offsetHeight)}px`;
    this.element.querySelector("button")?.focus({ preventScroll: true });
  }

  close(): void {
    this.element.hidden = true;
  }
}
