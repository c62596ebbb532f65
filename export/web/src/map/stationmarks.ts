// The stations on the map: a symbol for each state and for official ones, or dots while there are many and the map is not near.
import type { State } from "../api";
import type { Camera } from "./camera";
import { distance } from "./geometry";
import type { Point as Place } from "./arrowkeys";
import type { Ground, Pen } from "./pen";
import { drawSymbol, markOf, symbolColours, symbolSize, type Mark } from "./symbol";

// StationPlaces are the places of stations and the state of each.
export type StationPlaces = GeoJSON.FeatureCollection<GeoJSON.Point, { state: State; official: boolean }>;

interface Station extends Place {
  id: string;
  mark: Mark;
}

const marks = ["new", "silent", "ok", "check", "official"] as const; // the last lie above the others
const apart = 12.5; // zoom from which the symbols of many stations do not overlap
const many = 1500; // stations

export class StationMarks {
  private list: Station[] = [];
  private points = new Map<Mark, Float64Array>(); // of the ground
  private pictures = new Map<string, ImageBitmap>();

  constructor(private ground: Ground) {}

  set(stations: StationPlaces | null): void {
    this.list = (stations?.features ?? []).map(({ id, geometry, properties }) => {
      const [lon = 0, lat = 0] = geometry.coordinates;
      return { id: String(id), mark: markOf(properties), lon, lat };
    });
    this.points = new Map(
      marks.map((mark) => {
        const here = this.list.filter((s) => s.mark === mark);
        return [mark, Float64Array.from(here.flatMap(({ lon, lat }) => this.ground.at(lon, lat)))];
      }),
    );
  }

  draw(pen: Pen): void {
    for (const [mark, points] of this.points) if (points.length > 0) pen.images(this.picture(mark, pen), points);
  }

  find(id: string): Place | null {
    return this.list.find((s) => s.id === id) ?? null;
  }

  // near returns the stations within metres of a place, the nearest first.
  near(place: Place, metres: number): { id: string; metres: number }[] {
    const reach = metres / 60_000; // degrees of longitude, more than enough up to 57° north or south
    return this.list
      .filter((s) => Math.abs(s.lat - place.lat) < reach && Math.abs(s.lon - place.lon) < 2 * reach)
      .map((s) => ({ id: s.id, metres: distance(s, place) }))
      .filter((s) => s.metres <= metres)
      .sort((a, b) => a.metres - b.metres);
  }

  // picture returns a mark's symbol for the pen's zoom.
  private picture(mark: Mark, { camera, ratio, theme }: Pen): ImageBitmap {
    const dot = this.list.length > many && camera.zoom < apart;
    const size = dot ? dotSize(camera) : symbolSize * Math.min(1, Math.max(0.4, 0.4 + (camera.zoom - 9) * 0.2)); // less than a cell of 1 km
    const pixels = Math.round(size * ratio);
    const key = `${mark} ${dot} ${pixels} ${theme.halo}`;
    const kept = this.pictures.get(key) ?? draw(mark, pixels, dot);
    this.pictures.set(key, kept);
    return kept;
  }
}

// dotSize returns the width of a dot in pixels.
const dotSize = ({ zoom }: Camera): number => 6 + Math.min(1, Math.max(0, (zoom - 8) / (apart - 8))) * 6;

// draw makes a picture. A bitmap is copied much faster than a canvas, of which the browser makes a new image each time.
function draw(mark: Mark, pixels: number, dot: boolean): ImageBitmap {
  const canvas = new OffscreenCanvas(pixels, pixels);
  const ctx = canvas.getContext("2d");
  if (ctx && dot) drawDot(ctx, mark, pixels);
  else if (ctx) {
    ctx.scale(pixels / symbolSize, pixels / symbolSize);
    drawSymbol(ctx, mark);
  }
  return canvas.transferToImageBitmap();
}

function drawDot(ctx: OffscreenCanvasRenderingContext2D, mark: Mark, pixels: number): void {
  const edge = pixels / 6;
  ctx.beginPath();
  ctx.arc(pixels / 2, pixels / 2, (pixels - edge) / 2, 0, 2 * Math.PI);
  [ctx.fillStyle, ctx.strokeStyle] = symbolColours[mark];
  ctx.lineWidth = edge;
  ctx.fill();
  ctx.stroke();
}
