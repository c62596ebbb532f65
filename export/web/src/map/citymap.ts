// The map of the city that all maps are made of: its backdrop, a basemap where the city has one, buttons, keys, and light and dark
// colours. It is drawn on a canvas and needs no graphics card. Each map adds what it shows.
import type { City } from "../api";
import { h } from "../dom";
import { t } from "../language";
import type { Point as Place } from "./arrowkeys";
import { Backdrop } from "./backdrop";
import type { Basemap } from "./basemap";
import { mapButton, scaleBar, setButtonLabel } from "./buttons";
import { degrees, fitted, mercator, metresPerPixel, noInsets, panned, toScreen, toWorld, zoomed } from "./camera";
import type { Camera, Insets, Point } from "./camera";
import "./citymap.css";
import { gestures } from "./gestures";
import { Locate } from "./locate";
import { Motion } from "./motion";
import type { Name } from "./names";
import { Ground, Pen } from "./pen";
import { Raster } from "./raster";
import { places, water } from "./surroundings";
import { basemapOpacity, darkScheme, forcedColours, theme } from "./theme";
import type { Place as View } from "./view";

// Content is what a map shows and does beside the city.
export interface Content {
  areas(pen: Pen): void; // draws below the boundary's line
  marks(pen: Pen): void; // draws above it and below names
  names?(): readonly Name[] | null; // instead of those of places
  drawn?(): void; // what was set is on the screen
  click(place: Place, at: Point, finger: boolean): void;
  hover?(place: Place): boolean; // whether something to click is there
  moved?(): void; // a person has moved the map
}

const padding = 20; // pixels around the city
const revealed = 48; // pixels between what is revealed and what covers the map
const stillAfter = 150; // milliseconds without a movement, after which the map is drawn again where it has to be
const restAfter = 250; // milliseconds without a movement, after which the map rests
const start: Camera = { x: 0.52, y: 0.335, zoom: 9.5, width: 0, height: 0 }; // nothing is drawn before the city is known

const waterOverAreas = 0.5; // opacity
const pictureRatio = 2; // pixels of a picture to CSS pixels
let count = 0; // of maps on the page

export class CityMap {
  private raster = new Raster();
  private lettering = new Raster();
  // It is an application so that screen readers pass arrow keys on.
  readonly canvas = h("div", { class: "map-canvas", tabindex: "0", role: "application" }, this.raster.canvas, this.lettering.canvas);
  readonly ground = new Ground();
  readonly buttons = h("div", { class: "map-buttons" });
  moved = false; // by a person, or to a place; until then the whole city is shown
  private backdrop = new Backdrop(this.ground);
  private basemap: Basemap | null = null;
  private motion = new Motion(start, () => this.cameraChanged());
  private insets = noInsets;
  private zoomIn = mapButton("zoom-in", "+", () => this.step(1));
  private zoomOut = mapButton("zoom-out", "−", () => this.step(-1));
  private scale = scaleBar();
  private corner = h("div", { class: "map-corner" }, this.scale.element);
  private keys = h("p", { class: "map-keys", id: `map-keys-${(count += 1)}` });
  private locate: Locate | null = null;
  private frame = 0;
  private resting = 0;
  private still = 0; // timer until the map stands still; 0 when it does
  private stale = true; // the picture is not what is to be shown
  private paper = false; // it is being printed
  private near = false; // a person's hand or focus has been on the map, which may soon move

  // The container may get its size later.
  constructor(
    private container: HTMLElement,
    private content: Content,
  ) {
    container.classList.add("map-container");
    this.buttons.append(this.zoomIn, this.zoomOut);
    container.append(this.canvas, this.buttons, this.corner, this.keys);
    this.canvas.setAttribute("aria-describedby", this.keys.id);
    if (window === window.parent) this.locate = new Locate(container, this); // a page in a frame may not ask where people are
    gestures(this.canvas, {
      pan: (right, down) => this.byPerson(panned(this.camera, right, down)),
      zoom: (by, at) => this.byPerson(zoomed(this.camera, this.camera.zoom + by, at)),
      step: (by, at) => this.step(by, at),
      click: (at, finger) => content.click(this.placeAt(at), at, finger),
      hover: (at) => (this.canvas.style.cursor = at && content.hover?.(this.placeAt(at)) ? "pointer" : ""),
    });
    new ResizeObserver(() => this.resize()).observe(container);
    for (const choice of [darkScheme, forcedColours]) choice.addEventListener("change", () => this.redraw());
    for (const event of ["pointerenter", "focus"]) {
      this.canvas.addEventListener(event, () => this.redraw(void (this.near = true)), { once: true });
    }
    addEventListener("beforeprint", () => {
      this.paper = true;
      this.draw();
    });
    addEventListener("afterprint", () => {
      this.paper = false;
      this.redraw();
    });
    void places().then((names) => this.redraw(this.backdrop.setNames(names)));
    void water().then((found) => this.redraw(this.backdrop.setWater(found)));
  }

  get camera(): Camera {
    return this.motion.camera;
  }

  // redraw draws the map again before the next picture of the browser, or when it has come to rest.
  redraw(..._changes: void[]): void {
    this.stale = true;
    this.drawSoon();
  }

  private drawSoon(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  city(city: City): void {
    if (!this.backdrop.bounds) void this.addBasemap(city).catch(console.error);
    this.backdrop.setCity(city);
    this.fitCity();
    this.redraw();
  }

  // view returns the middle of the map and its zoom.
  view(): View {
    return { ...degrees([this.camera.x, this.camera.y]), zoom: this.camera.zoom };
  }

  metresPerPixel(): number {
    return metresPerPixel(this.camera);
  }

  pixel(place: Place): Point {
    return toScreen(this.camera, mercator(place.lon, place.lat));
  }

  // moveTo shows a place at once, or the whole city.
  moveTo(view: View | null): void {
    this.moved = view !== null;
    if (view) this.motion.set(this.at(view, view.zoom));
    else this.fitCity();
  }

  // look moves to a place within a moment.
  look(place: Place, zoom = this.camera.zoom): void {
    this.byPerson(this.at(place, zoom), true);
  }

  // reveal moves a place to the middle of what nothing covers, unless it is seen already.
  reveal(place: Place, covered: Insets): void {
    const [x, y] = this.pixel(place);
    const { width, height } = this.camera;
    const [left, right] = [covered.left + revealed, width - covered.right - revealed];
    const [top, bottom] = [covered.top + revealed, height - covered.bottom - revealed];
    if (left >= right || top >= bottom || (x >= left && x <= right && y >= top && y <= bottom)) return;
    this.byPerson(panned(this.camera, (left + right) / 2 - x, (top + bottom) / 2 - y), true);
  }

  // setInsets says what covers the map at its edges; the whole city is shown beside it.
  setInsets(covered: Insets): void {
    this.insets = covered;
    this.fitCity();
  }

  // setLabels sets the map's name, and which keys do what.
  setLabels(label: string, keys: string): void {
    this.canvas.setAttribute("aria-label", label);
    if (this.keys.textContent !== keys) this.keys.textContent = keys;
    setButtonLabel(this.zoomIn, t("map.zoomIn"));
    setButtonLabel(this.zoomOut, t("map.zoomOut"));
    this.locate?.setLabel();
    this.basemap?.setLabels();
    this.redraw();
  }

  private at = (place: Place, zoom: number): Camera => {
    const [x, y] = mercator(place.lon, place.lat);
    return zoomed({ ...this.camera, x, y }, zoom);
  };

  private placeAt = (at: Point): Place => degrees(toWorld(this.camera, at));

  private step(by: number, at?: Point): void {
    this.byPerson(zoomed(this.camera, Math.round(this.motion.goal.zoom * 2) / 2 + by, at), true);
  }

  private byPerson(to: Camera, slowly = false): void {
    this.moved = true;
    if (slowly) this.motion.ease(to);
    else this.motion.set(to);
    clearTimeout(this.resting);
    this.resting = window.setTimeout(() => this.content.moved?.(), restAfter + (slowly ? restAfter : 0));
  }

  private fitCity(): void {
    const { bounds } = this.backdrop;
    if (!bounds || this.moved) return;
    const [left, top] = mercator(bounds.west, bounds.north);
    const [right, bottom] = mercator(bounds.east, bounds.south);
    const all = fitted(this.camera, [left, top, right, bottom], padding, this.insets);
    if (all) this.motion.set(all);
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.container;
    this.motion.set({ ...this.motion.goal, width, height }); // a movement that has begun ends
    this.fitCity();
    if (width > 0 && height > 0) this.draw(); // at once, because a canvas of another size is empty
  }

  private cameraChanged(): void {
    this.basemap?.moveTo(this.camera);
    this.drawSoon();
    if (!this.moved) return; // it was fitted, at once
    clearTimeout(this.still);
    this.still = window.setTimeout(() => {
      this.still = 0;
      this.drawSoon();
    }, stillAfter);
  }

  // addBasemap loads the basemap where the city has one. Until it is there, and without one, the backdrop is drawn.
  private async addBasemap({ properties }: City): Promise<void> {
    if (!properties.basemap && !properties.basemap_tiles) return;
    const { addBasemap } = await import("./basemap");
    this.basemap = addBasemap(this.container, this.corner, properties, () => this.redraw());
    this.cameraChanged();
  }

  // draw draws the map. While it moves its pictures are moved, as long as they reach; names are written for each zoom. On paper it has
  // the colours of the day.
  private draw(): void {
    const { camera, content, paper } = this;
    if (camera.width === 0 || camera.height === 0) return;
    const moving = this.still !== 0 && !paper;
    const reaches = this.raster.follow(camera);
    const ready = reaches && (moving || (!this.stale && this.raster.fits(camera)));
    if (!ready || paper) this.drawGround();
    if (!(moving && ready && this.lettering.follow(camera) && this.lettering.fits(camera))) this.drawNames();
    this.scale.show(camera);
    if (!ready) content.drawn?.();
  }

  // snapshot returns what the map shows, in the colours of the day, without a basemap; null where the browser cannot draw.
  snapshot(): { image: HTMLCanvasElement; scale: number } | null {
    const image = document.createElement("canvas");
    const ctx = image.getContext("2d");
    if (!ctx || this.camera.width === 0) return null;
    [image.width, image.height] = [this.camera.width * pictureRatio, this.camera.height * pictureRatio];
    ctx.setTransform(pictureRatio, 0, 0, pictureRatio, 0, 0);
    const pen = new Pen(ctx, this.camera, theme(true), pictureRatio, this.ground);
    this.backdrop.drawLand(pen);
    this.content.areas(pen);
    this.backdrop.drawWater(pen, waterOverAreas);
    this.backdrop.drawBoundary(pen);
    this.content.marks(pen);
    this.backdrop.drawNames(pen, this.content.names?.() ?? null);
    return { image, scale: pictureRatio };
  }

  private drawGround(): void {
    const { paper } = this;
    this.stale = false;
    this.container.closest("main")?.classList.toggle("over-basemap", this.basemap?.visible() === true); // for the legend
    this.raster.draw(this.camera, paper || !(this.near || this.moved), (ctx, all, ratio) => {
      const bare = this.basemap?.visible() !== true;
      const pen = new Pen(ctx, all, { ...theme(paper), ...(bare ? {} : { areaOpacity: basemapOpacity }) }, ratio, this.ground);
      if (bare) this.backdrop.drawLand(pen);
      else ctx.clearRect(0, 0, all.width, all.height);
      this.content.areas(pen);
      if (bare) this.backdrop.drawWater(pen, waterOverAreas);
      this.backdrop.drawBoundary(pen);
      this.content.marks(pen);
      this.locate?.draw(pen);
    });
  }

  private drawNames(): void {
    const { paper } = this;
    this.lettering.draw(this.camera, paper || !(this.near || this.moved), (ctx, all, ratio, edge) => {
      ctx.clearRect(0, 0, all.width, all.height);
      this.backdrop.drawNames(new Pen(ctx, all, theme(paper), ratio, this.ground), this.content.names?.() ?? null, edge);
    });
  }
}
