// Names on the map: which of them are written, so that none lies on another, and their pictures.
import { mercator, toScreen, type Box, type Camera, type Point } from "./camera";
import type { Theme } from "./theme";

// Name is a name at a place in degrees; people are its inhabitants, 0 where they are not known.
export interface Name {
  name: string;
  lon: number;
  lat: number;
  people: number;
}

// Size is how names of so many people are written, and from which zoom on.
interface Size {
  people: number;
  zoom: number;
  pixels: number;
  weight: number;
}

const sizes: readonly [Size, ...Size[]] = [
  { people: 500_000, zoom: 0, pixels: 16, weight: 650 },
  { people: 100_000, zoom: 7, pixels: 14, weight: 600 },
  { people: 30_000, zoom: 8.5, pixels: 13, weight: 550 },
  { people: 10_000, zoom: 10, pixels: 12, weight: 550 },
  { people: 0, zoom: 11.2, pixels: 12, weight: 500 },
];

const sizeOf = (people: number): Size => sizes.find((s) => people >= s.people) ?? sizes[0];

const gap = 6; // pixels between names

// Written is a name and the middle of it in pixels.
export interface Written<N extends Name> {
  name: N;
  at: Point;
}

// arrange chooses the names that are written: those of the most people first, and none that would lie on another. measure returns
// the size of a name's picture in pixels. Where the edges of the camera's picture are not seen, a name is written on one side of
// what is.
export function arrange<N extends Name>(
  names: readonly N[],
  c: Camera,
  measure: (n: N) => Point,
  [right, down]: Point = [0, 0],
): Written<N>[] {
  const seen: Box = [right, down, c.width - right, c.height - down];
  const written: (Written<N> & { box: Box })[] = [];
  for (const name of [...names].sort((a, b) => b.people - a.people)) {
    if (c.zoom < sizeOf(name.people).zoom) continue;
    const at = toScreen(c, mercator(name.lon, name.lat));
    const [width, height] = measure(name);
    const box: Box = [at[0] - width / 2 - gap, at[1] - height / 2, at[0] + width / 2 + gap, at[1] + height / 2];
    if (!within(box, [0, 0, c.width, c.height])) continue;
    if (overlap(box, seen) && !within(box, seen)) continue; // not all of it would be seen
    if (written.some((w) => overlap(box, w.box))) continue;
    written.push({ name, at, box });
  }
  return written;
}

const overlap = (a: Box, b: Box): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
const within = (a: Box, b: Box): boolean => a[0] >= b[0] && a[1] >= b[1] && a[2] <= b[2] && a[3] <= b[3];

// Lettering keeps the pictures of names, because writing text takes a browser longer than copying it.
export class Lettering {
  private pictures = new Map<string, HTMLCanvasElement>();
  private look = "";

  // picture returns a name as a picture; its pixels are those of the screen.
  picture({ name, people }: Name, theme: Theme, ratio: number): HTMLCanvasElement {
    const look = `${theme.name} ${theme.halo} ${ratio}`;
    if (this.look !== look) this.pictures.clear();
    this.look = look;
    const key = `${name}\n${sizeOf(people).pixels}`;
    const kept = this.pictures.get(key) ?? draw(name, sizeOf(people), theme, ratio);
    this.pictures.set(key, kept);
    return kept;
  }
}

const halo = 3; // pixels around letters

function draw(text: string, { pixels, weight }: Size, theme: Theme, ratio: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const ctx = canvas.getContext("2d");
  if (!ctx) return canvas;
  const font = `${weight} ${pixels}px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif`;
  ctx.font = font;
  canvas.width = Math.ceil((ctx.measureText(text).width + 2 * halo) * ratio);
  canvas.height = Math.ceil((pixels * 1.25 + 2 * halo) * ratio);
  ctx.scale(ratio, ratio);
  ctx.font = font;
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.strokeStyle = theme.halo;
  ctx.lineWidth = halo;
  ctx.globalAlpha = 0.85;
  ctx.strokeText(text, halo, canvas.height / ratio / 2);
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.name;
  ctx.fillText(text, halo, canvas.height / ratio / 2);
  return canvas;
}
