// A picture of the map on a canvas, larger than what is seen. While the map moves the picture is moved, which needs no drawing.
import { h } from "../dom";
import { toScreen, worldSize, type Camera, type Point } from "./camera";

const margin = 0.25; // of its size that a picture has at each edge beyond what is seen
const mostPixels = 12e6; // of a picture, 48 MB; larger ones get narrower margins
const sharpest = 2; // pixels of a picture to CSS pixels at most: more are hardly seen and cost time and memory
const farthest = 1.2; // zoom that a picture may be from what is seen

export class Raster {
  readonly canvas = h("canvas", { "aria-hidden": "true" });
  private shows: Camera | null = null; // all of the picture; null before it is drawn

  // draw prepares the canvas for a camera and draws, with margins unless the map is still: the first picture is there sooner without.
  // edge is how much of the picture at each side is not seen, in CSS pixels.
  draw(seen: Camera, still: boolean, draw: (ctx: CanvasRenderingContext2D, all: Camera, ratio: number, edge: Point) => void): void {
    const { canvas } = this;
    const ctx = canvas.getContext("2d");
    if (!ctx) return;
    const ratio = Math.min(devicePixelRatio, sharpest);
    const edge: Point = still ? [0, 0] : edges(seen, ratio);
    const all = { ...seen, width: seen.width + 2 * edge[0], height: seen.height + 2 * edge[1] };
    const [width, height] = [Math.round(all.width * ratio), Math.round(all.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const { style } = canvas;
    [style.left, style.top] = [`${-edge[0]}px`, `${-edge[1]}px`];
    [style.width, style.height] = [`calc(100% + ${2 * edge[0]}px)`, `calc(100% + ${2 * edge[1]}px)`]; // also of paper
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(ctx, all, ratio, edge);
    this.shows = all;
    this.follow(seen);
  }

  // follow moves the picture to where a camera sees it, and reports whether it shows all that is seen, about as near.
  follow(seen: Camera): boolean {
    const { shows, canvas } = this;
    if (!shows) return false;
    const size = worldSize(seen.zoom) / worldSize(shows.zoom);
    const [x, y] = toScreen(seen, [shows.x, shows.y]);
    const [right, down] = [whole(x - seen.width / 2), whole(y - seen.height / 2)];
    canvas.style.transform = `translate(${right}px, ${down}px)${size === 1 ? "" : ` scale(${size})`}`;
    if (size !== 1) return Math.abs(shows.zoom - seen.zoom) < farthest && reaches(shows, seen, right, down, Math.max(1, size));
    return reaches(shows, seen, right, down, 1);
  }

  // fits reports whether the picture was drawn for a zoom.
  fits({ zoom }: Camera): boolean {
    return this.shows?.zoom === zoom;
  }
}

const reaches = (all: Camera, seen: Camera, right: number, down: number, size: number): boolean =>
  Math.abs(right) <= (all.width * size - seen.width) / 2 && Math.abs(down) <= (all.height * size - seen.height) / 2;

// whole returns a length that is a whole number of the screen's pixels, so that a moved picture stays sharp.
const whole = (pixels: number): number => Math.round(pixels * devicePixelRatio) / devicePixelRatio;

function edges({ width, height }: Camera, ratio: number): Point {
  const room = (Math.sqrt(mostPixels / (width * height)) / ratio - 1) / 2;
  const part = Math.max(0, Math.min(margin, room));
  return [Math.round(width * part), Math.round(height * part)];
}
