// The button that looks back. What it opens is loaded when it is pressed.
import type { City } from "../api";
import { h } from "../dom";
import { t } from "../language";
import type { Place } from "./days";

// Subject is what one looks back at.
export interface Subject {
  place: Place;
  title: string;
  quantity: string;
}

export function lookBackButton(subject: Subject, city: City | null): HTMLElement {
  const open = async (): Promise<void> => (await import("./panel")).open(subject, city);
  return h(
    "button",
    {
      type: "button",
      class: "button second lookback-open",
      "data-key": `lookback-${subject.place.kind}-${subject.place.id}-${subject.quantity}`,
      click: () => void open(),
    },
    t("lookback.open"),
  );
}
