// Where a map looks: from degrees to pixels and back, in Web Mercator. World coordinates go from 0,0 in the upper left corner of the
// world to 1,1 in the lower right.

export type Point = readonly [x: number, y: number];

// Box is an area of the world: left, top, right, bottom.
export type Box = readonly [left: number, top: number, right: number, bottom: number];

// Camera is the middle of what is seen, its zoom, and the size of the picture in CSS pixels.
export interface Camera {
  x: number;
  y: number;
  zoom: number; // 0 shows the whole world in 512 pixels; each further one is twice as near, as in MapLibre
  width: number;
  height: number;
}

// Insets are the pixels at each edge that something else covers.
export interface Insets {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

export const noInsets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };

const tile = 512; // pixels of the whole world at zoom 0
export const minZoom = 2;
export const maxZoom = 19;

export const worldSize = (zoom: number): number => tile * 2 ** zoom;

// mercator returns the world coordinates of a place in degrees.
export const mercator = (lon: number, lat: number): Point => [
  lon / 360 + 0.5,
  0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI),
];

// degrees returns the place of world coordinates.
export const degrees = ([x, y]: Point): { lon: number; lat: number } => ({
  lon: (x - 0.5) * 360,
  lat: (360 / Math.PI) * Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) - 90,
});

export function toScreen(c: Camera, [x, y]: Point): Point {
  const size = worldSize(c.zoom);
  return [c.width / 2 + (x - c.x) * size, c.height / 2 + (y - c.y) * size];
}

export function toWorld(c: Camera, [x, y]: Point): Point {
  const size = worldSize(c.zoom);
  return [c.x + (x - c.width / 2) / size, c.y + (y - c.height / 2) / size];
}

// panned returns the camera after its picture was moved by pixels.
export function panned(c: Camera, right: number, down: number): Camera {
  const size = worldSize(c.zoom);
  return { ...c, x: wrap(c.x - right / size), y: Math.min(1, Math.max(0, c.y - down / size)) };
}

const wrap = (x: number): number => x - Math.floor(x);

// zoomed returns the camera with another zoom; what is seen at a pixel stays there.
export function zoomed(c: Camera, zoom: number, at: Point = [c.width / 2, c.height / 2]): Camera {
  const near = Math.min(maxZoom, Math.max(minZoom, zoom));
  const [x, y] = toWorld(c, at);
  const size = worldSize(near);
  return { ...c, zoom: near, x: x - (at[0] - c.width / 2) / size, y: y - (at[1] - c.height / 2) / size };
}

// fitted returns the camera that shows all of a box within insets, with room around it; null where there is no room.
export function fitted(c: Camera, [left, top, right, bottom]: Box, padding: number, insets: Insets): Camera | null {
  const width = c.width - insets.left - insets.right - 2 * padding;
  const height = c.height - insets.top - insets.bottom - 2 * padding;
  if (width <= 0 || height <= 0) return null;
  const zoom = Math.min(maxZoom, Math.log2(Math.min(width / (right - left), height / (bottom - top)) / tile));
  return panned(
    { ...c, zoom, x: (left + right) / 2, y: (top + bottom) / 2 },
    (insets.left - insets.right) / 2,
    (insets.top - insets.bottom) / 2,
  );
}

// between returns the camera on the way; a place that is at the same pixel before and after is there all the way.
export function between(a: Camera, b: Camera, part: number): Camera {
  if (part >= 1) return b;
  const zoom = a.zoom + (b.zoom - a.zoom) * part;
  const [from, to, now] = [1 / worldSize(a.zoom), 1 / worldSize(b.zoom), 1 / worldSize(zoom)];
  const way = Math.abs(from - to) < 1e-12 ? part : (now - from) / (to - from);
  return { ...b, zoom, x: a.x + (b.x - a.x) * way, y: a.y + (b.y - a.y) * way };
}

// metresPerPixel returns how many metres on the ground one pixel is in the middle of what is seen.
export const metresPerPixel = (c: Camera): number =>
  (40_075_016.686 * Math.cos((degrees([c.x, c.y]).lat * Math.PI) / 180)) / worldSize(c.zoom);
