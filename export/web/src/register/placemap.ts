// The map for choosing a place. Its centre is marked, so that a place can be chosen with arrow keys and a button as well.
import type { City, Districts, GeoJSONAnswer } from "../api";
import { h } from "../dom";
import { t } from "../language";
import type { Point as Place } from "../map/arrowkeys";
import { CityMap, type Content } from "../map/citymap";
import type { Pen } from "../map/pen";

export type { Place };

// Cell is the public cell of a place.
export type Cell = GeoJSONAnswer<"getPublicCell">;

const placeZoom = 15; // zoom at which a finger means a house rather than a street
const areaZoom = 13; // zoom at which a part of the city is on the map
const precise = 14; // zoom from which a tap is taken as the place

export class PlaceMap implements Content {
  private map: CityMap;
  private point: Place | null = null;
  private cell: Path2D | null = null;
  private borders: Path2D | null = null;

  // clicked is called with a place on a map that is near enough, closer with one that was not: the map is moved near to it.
  constructor(
    container: HTMLElement,
    city: City,
    private clicked: (p: Place) => void,
    private closer: () => void,
  ) {
    this.map = new CityMap(container, this);
    this.map.city(city);
    this.map.setLabels(t("place.map"), t("map.keysMove"));
    container.append(h("span", { class: "cross", "aria-hidden": "true" }));
  }

  click(place: Place): void {
    if (this.map.camera.zoom >= precise) return this.clicked(place);
    this.map.look(place, placeZoom);
    this.closer();
  }

  // take chooses the middle of the map, as a tap there would.
  take(): void {
    this.click(this.map.view());
  }

  // look shows a place from near, lookAround with what is around it.
  look(p: Place): void {
    this.map.look(p, Math.max(this.map.camera.zoom, placeZoom));
  }

  lookAround(p: Place): void {
    this.map.look(p, areaZoom);
  }

  show(p: Place, cell: Cell | null): void {
    this.point = p;
    this.cell = cell && this.map.ground.path([cell.geometry]);
    this.map.redraw();
  }

  districts(d: Districts): void {
    this.borders = this.map.ground.path(d.features.map((f) => f.geometry));
    this.map.redraw();
  }

  areas(pen: Pen): void {
    if (this.borders) pen.stroke(this.borders, pen.theme.edge, 1, 0.5);
  }

  marks(pen: Pen): void {
    const { accent, halo } = pen.theme;
    if (this.cell) pen.fill(this.cell, accent, 0.25);
    if (this.cell) pen.stroke(this.cell, accent, 2);
    if (this.point) pen.circle(this.map.ground.at(this.point.lon, this.point.lat), 6, accent, halo, 2);
  }
}
