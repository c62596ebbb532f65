// The button that shares what a page shows. What it opens is loaded when it is pressed.
import type { City } from "../api";
import { h } from "../dom";
import { language, languages, t } from "../language";
import type { Plate } from "./picture";

// Shared is what can be shared.
export interface Shared {
  title: string;
  address: string; // of the page, without any key
  embed: string; // the path below /embed/
  query: string; // of what is embedded, without a question mark
  picture(): Plate | null; // null while there is none
}

export function shareButton(shared: () => Shared, city: City | null, key: string): HTMLElement {
  const open = async (): Promise<void> => (await import("./panel")).open(shared(), city);
  return h("button", { type: "button", class: "button second", "data-key": `share-${key}`, click: () => void open() }, t("share.open"));
}

// asOf says of when something is, with its date, in a time zone.
export const asOf = (at: Date, zone: string): string =>
  t("share.savedAt", {
    time: at.toLocaleString(languages[language()].locale, { timeZone: zone, dateStyle: "long", timeStyle: "short" }),
  });
