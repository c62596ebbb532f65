// The button that asks the browser where the person is. The place stays on the map: it is sent to nobody.
import { t } from "../language";
import type { Point as Place } from "./arrowkeys";
import { mapButton, setButtonLabel } from "./buttons";
import { metresPerPixel } from "./camera";
import type { CityMap } from "./citymap";
import { h } from "../dom";
import type { Pen } from "./pen";

const locatedZoom = 14; // zoom at which streets are told apart
const patience = 15_000; // milliseconds for the browser's answer

export class Locate {
  private button = mapButton("locate", "◎", () => this.ask());
  private note = h("p", { class: "map-note", role: "status" });
  private here: { place: Place; metres: number } | null = null;

  constructor(
    container: HTMLElement,
    private map: CityMap,
  ) {
    map.buttons.append(this.button);
    container.append(this.note);
  }

  setLabel(): void {
    setButtonLabel(this.button, t("map.locate"));
  }

  draw(pen: Pen): void {
    if (!this.here) return;
    const { accent, halo } = pen.theme;
    const at = this.map.ground.at(this.here.place.lon, this.here.place.lat);
    pen.ctx.globalAlpha = 0.2;
    pen.circle(at, this.here.metres / metresPerPixel(pen.camera), accent, accent, 1);
    pen.ctx.globalAlpha = 1;
    pen.circle(at, 7, "#2563c9", halo, 3);
  }

  private ask(): void {
    const failed = (): void => void (this.note.textContent = t("map.notLocated"));
    if (!("geolocation" in navigator)) return failed();
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        this.note.textContent = "";
        this.here = { place: { lon: coords.longitude, lat: coords.latitude }, metres: coords.accuracy };
        this.map.look(this.here.place, Math.max(this.map.camera.zoom, locatedZoom));
      },
      failed,
      { enableHighAccuracy: true, timeout: patience },
    );
  }
}
