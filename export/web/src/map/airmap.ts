// The map of the air: cells or districts with their colours, and stations. It draws what it is given and reports what is chosen.
import type { City, Districts } from "../api";
import { t } from "../language";
import type { Point as Place } from "./arrowkeys";
import type { Insets, Point } from "./camera";
import { Chooser } from "./chooser";
import { CityMap, type Content } from "./citymap";
import { colourOf, type Step } from "./colours";
import { keyboardCursor, target, type Target } from "./cursor";
import { boundsOf, centreOf, contains, type Area, type Bounds } from "./geometry";
import { hatch } from "./hatch";
import type { Name } from "./names";
import type { Pen } from "./pen";
import { StationMarks, type StationPlaces } from "./stationmarks";
import { findQuantity } from "./text";
import type { Chosen, Place as View } from "./view";

export type { StationPlaces };

// Cells are areas of the grid, each with the value that colours it; one with one station is hatched, as a district is.
export type Cells = GeoJSON.FeatureCollection<GeoJSON.Polygon, { cell: string; mean: number; stations?: number }>;

// MapEvents are called when something happens on the map.
export interface MapEvents {
  choose(chosen: Chosen | null): void;
  moved?(view: View): void;
  describe(what: Chosen): string; // for screen readers, and where a finger is at several
}

// Shown is an area on the map.
interface Shown {
  chosen: Chosen;
  geometry: Area;
  bounds: Bounds;
  colour: string; // empty for one without a value
  single: boolean; // its mean is of one station
}

// Layer is what is drawn of areas.
interface Layer {
  list: Shown[];
  fills: [colour: string, Path2D][];
  single: Path2D;
  lines: Path2D;
}

const finger = 22; // pixels around a finger within which it means a station
const mouse = 8;
const sure = 10; // pixels within which a finger means one station and nothing else

export class AirMap implements Content {
  private map: CityMap;
  private layers: Record<"cell" | "district", Layer | null> = { cell: null, district: null };
  private districtNames: Name[] | null = null;
  private stationMarks: StationMarks;
  private chosen: Chosen | null = null;
  private cursor;
  private chooser;
  private values: "none" | "set" | "drawn" = "none";

  constructor(
    container: HTMLElement,
    private events: MapEvents,
  ) {
    this.map = new CityMap(container, this);
    this.stationMarks = new StationMarks(this.map.ground);
    this.cursor = keyboardCursor(container, this.map, (area) => this.choose(area), events.describe);
    this.chooser = new Chooser(container, (what) => this.choose(what), events.describe);
  }

  setLabel(label: string): void {
    this.map.setLabels(label, t("map.keys"));
  }

  city(city: City): void {
    this.map.city(city);
  }

  snapshot(): ReturnType<CityMap["snapshot"]> {
    return this.map.snapshot();
  }

  moveTo(view: View | null): void {
    this.map.moveTo(view);
  }

  setInsets(covered: Insets): void {
    this.map.setInsets(covered);
  }

  // reveal moves what is chosen to where nothing covers it, and reports whether it is on the map.
  reveal(covered: Insets): boolean {
    const at = this.placeOf(this.chosen);
    if (at) this.map.reveal(at, covered);
    return at !== null;
  }

  grid(grid: Cells | null, legend: readonly Step[]): void {
    this.setAreas(
      "cell",
      grid?.features.map(({ geometry, properties: p }) => ({
        chosen: { kind: "cell", id: p.cell },
        geometry,
        bounds: boundsOf(geometry),
        colour: colourOf(legend, p.mean),
        single: p.stations === 1,
      })),
    );
  }

  districts(districts: Districts | null, quantity: string, legend: readonly Step[]): void {
    this.districtNames =
      districts?.features.map(({ geometry, properties: { name } }) => ({ name, ...centreOf(geometry), people: districtPeople })) ?? null;
    this.setAreas(
      "district",
      districts?.features.map(({ geometry, properties: p }) => {
        const q = findQuantity(p.quantities, quantity);
        const colour = q ? colourOf(legend, q.mean) : "";
        return { chosen: { kind: "district", id: p.name }, geometry, bounds: boundsOf(geometry), colour, single: q?.stations === 1 };
      }),
    );
  }

  stations(stations: StationPlaces, visible: boolean): void {
    this.stationMarks.set(visible ? stations : null);
    this.map.redraw();
  }

  highlight(chosen: Chosen | null): void {
    this.chosen = chosen;
    this.cursor.moveTo(chosen);
    this.chooser.close();
    this.map.redraw();
  }

  areas(pen: Pen): void {
    const { areaOpacity, line } = pen.theme;
    for (const layer of [this.layers.district, this.layers.cell]) {
      if (!layer) continue;
      for (const [colour, path] of layer.fills) pen.fill(path, colour, areaOpacity);
      const pattern = hatch(pen.ctx, pen.ratio);
      if (pattern) pen.fill(layer.single, pattern, 0.55);
      pen.stroke(layer.lines, layer === this.layers.cell ? line : pen.theme.edge, 1);
    }
  }

  marks(pen: Pen): void {
    const { mark, halo } = pen.theme;
    const area = this.shown(this.chosen);
    const at = this.cursor.current();
    if (area) this.outline(pen, area.geometry, halo, mark, 3);
    if (at) this.outline(pen, at.geometry, halo, mark, 4);
    const station = this.chosen?.kind === "station" && this.stationMarks.find(this.chosen.id);
    if (station) pen.circle(this.map.ground.at(station.lon, station.lat), 12, halo, mark, 2.5);
    this.stationMarks.draw(pen);
  }

  names(): readonly Name[] | null {
    return this.districtNames;
  }

  drawn(): void {
    if (this.values === "set") performance.mark("values"); // for tests and measurements
    if (this.values === "set") this.values = "drawn";
  }

  click(place: Place, at: Point, byFinger: boolean): void {
    const size = this.map.metresPerPixel();
    const area = this.areaAt(place);
    const stations = this.stationMarks.near(place, (byFinger ? finger : mouse) * size);
    const [first, second] = stations;
    if (!first) return this.choose(area?.chosen ?? null);
    const meant: Chosen = { kind: "station", id: first.id };
    if (!byFinger || (first.metres <= sure * size && (!second || second.metres > finger * size)) || (!second && !area))
      return this.choose(meant);
    const all = stations.slice(0, 4).map(({ id }): Chosen => ({ kind: "station", id }));
    this.chooser.open(at, [...(area ? [area.chosen] : []), ...all]);
  }

  hover(place: Place): boolean {
    return this.areaAt(place) !== null || this.stationMarks.near(place, mouse * this.map.metresPerPixel()).length > 0;
  }

  moved(): void {
    this.events.moved?.(this.map.view());
  }

  private choose(chosen: Chosen | null): void {
    this.chooser.close();
    this.events.choose(chosen);
  }

  private setAreas(kind: "cell" | "district", list: Shown[] | undefined): void {
    this.cursor.setTargets(kind, list?.map((a): Target => target(a.chosen, a.geometry)) ?? []);
    this.layers[kind] = list ? this.layer(list) : null;
    if (list) this.values = "set";
    this.map.redraw();
  }

  private layer(list: Shown[]): Layer {
    const { ground } = this.map;
    const colours = new Map<string, Area[]>();
    for (const { colour, geometry } of list) if (colour) colours.set(colour, [...(colours.get(colour) ?? []), geometry]);
    return {
      list,
      fills: [...colours].map(([colour, areas]) => [colour, ground.path(areas)]),
      single: ground.path(list.filter((a) => a.single).map((a) => a.geometry)),
      lines: ground.path(list.map((a) => a.geometry)),
    };
  }

  private areaAt({ lon, lat }: Place): Shown | null {
    const here = ({ bounds: b, geometry }: Shown) =>
      lon >= b.west && lon <= b.east && lat >= b.south && lat <= b.north && contains(geometry, { lon, lat });
    return this.layers.cell?.list.find(here) ?? this.layers.district?.list.find(here) ?? null;
  }

  private shown(chosen: Chosen | null): Shown | null {
    if (!chosen || chosen.kind === "station") return null;
    return this.layers[chosen.kind]?.list.find((a) => a.chosen.id === chosen.id) ?? null;
  }

  private placeOf(chosen: Chosen | null): Place | null {
    if (chosen?.kind === "station") return this.stationMarks.find(chosen.id);
    const area = this.shown(chosen);
    return area && centreOf(area.geometry);
  }

  private outline(pen: Pen, geometry: Area, halo: string, mark: string, width: number): void {
    const path = this.map.ground.path([geometry]);
    pen.stroke(path, halo, 2 * width);
    pen.stroke(path, mark, width);
  }
}

const districtPeople = 100_000; // so that names of districts are written as those of large towns
