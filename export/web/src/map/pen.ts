// What draws on a canvas: paths on the ground, which keep their shape while the map moves, and pictures at places.
import { mercator, toScreen, worldSize, type Camera, type Point } from "./camera";
import { parts, type Area, type Line } from "./geometry";
import type { Theme } from "./theme";

// Paths are kept in pixels of this zoom from an origin near the city, so that the canvas's single precision suffices at every zoom.
const groundSize = worldSize(12);

// Ground turns places into the coordinates of paths.
export class Ground {
  private origin: Point | null = null; // the first place

  at(lon: number, lat: number): Point {
    const [x, y] = mercator(lon, lat);
    this.origin ??= [x, y];
    return [(x - this.origin[0]) * groundSize, (y - this.origin[1]) * groundSize];
  }

  // path returns the outline of shapes.
  path(shapes: Iterable<Area | Line>): Path2D {
    const path = new Path2D();
    for (const shape of shapes) {
      for (const part of parts(shape)) {
        part.forEach(([lon = 0, lat = 0], i) => {
          const [x, y] = this.at(lon, lat);
          if (i === 0) path.moveTo(x, y);
          else path.lineTo(x, y);
        });
        if (shape.type.endsWith("Polygon")) path.closePath();
      }
    }
    return path;
  }

  // view returns the scale of paths and where their origin is, in pixels of a camera.
  view(c: Camera): { scale: number; x: number; y: number } {
    const [x, y] = toScreen(c, this.origin ?? [c.x, c.y]);
    return { scale: worldSize(c.zoom) / groundSize, x, y };
  }
}

// Pen draws one picture of the map.
export class Pen {
  readonly scale: number; // pixels of the picture to those of the ground
  readonly x: number; // of the ground's origin
  readonly y: number;

  constructor(
    readonly ctx: CanvasRenderingContext2D,
    readonly camera: Camera,
    readonly theme: Theme,
    readonly ratio: number, // pixels of the screen to CSS pixels
    ground: Ground,
  ) {
    ({ scale: this.scale, x: this.x, y: this.y } = ground.view(camera));
  }

  fill(path: Path2D, colour: string | CanvasPattern, opacity = 1): void {
    this.onGround(() => {
      if (typeof colour !== "string") colour.setTransform(new DOMMatrix().scale(1 / (this.scale * this.ratio)));
      this.ctx.globalAlpha = opacity;
      this.ctx.fillStyle = colour;
      this.ctx.fill(path, "evenodd");
    });
  }

  stroke(path: Path2D, colour: string, width: number, opacity = 1): void {
    this.onGround(() => {
      this.ctx.globalAlpha = opacity;
      this.ctx.strokeStyle = colour;
      this.ctx.lineWidth = width / this.scale;
      this.ctx.lineJoin = this.ctx.lineCap = "round";
      this.ctx.stroke(path);
    });
  }

  // circle draws a circle around a point of the ground; its radius and the width of its edge are in pixels.
  circle([x, y]: Point, radius: number, fill: string, edge: string, width: number): void {
    const { ctx } = this;
    ctx.beginPath();
    ctx.arc(this.x + x * this.scale, this.y + y * this.scale, radius, 0, 2 * Math.PI);
    ctx.fillStyle = fill;
    ctx.strokeStyle = edge;
    ctx.lineWidth = width;
    ctx.fill();
    ctx.stroke();
  }

  // images draws a picture around each point of the ground, x and y after each other, on whole pixels of the screen.
  images(picture: ImageBitmap, points: Float64Array): void {
    const { ratio, scale, x, y } = this;
    const { width, height } = this.ctx.canvas;
    const ctx = points.length > 2 * many ? scratch(width, height) : this.ctx;
    const [left, top] = [x * ratio - picture.width / 2, y * ratio - picture.height / 2];
    const size = scale * ratio;
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    for (let i = 0; i < points.length; i += 2) {
      const px = Math.round(left + (points[i] ?? 0) * size);
      const py = Math.round(top + (points[i + 1] ?? 0) * size);
      if (px > -picture.width && py > -picture.height && px < width && py < height) ctx.drawImage(picture, px, py);
    }
    ctx.restore();
    if (ctx === this.ctx) return;
    this.ctx.save();
    this.ctx.setTransform(1, 0, 0, 1, 0, 0);
    this.ctx.drawImage(ctx.canvas, 0, 0);
    this.ctx.restore();
  }

  private onGround(draw: () => void): void {
    const { ctx, scale, x, y } = this;
    ctx.save();
    ctx.transform(scale, 0, 0, scale, x, y);
    draw();
    ctx.restore();
  }
}

const many = 1000; // pictures, more than that are drawn faster by the processor than by a graphics card

let kept: CanvasRenderingContext2D | null = null;

// scratch returns an empty canvas that the processor draws on.
function scratch(width: number, height: number): CanvasRenderingContext2D {
  kept ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!kept) throw new Error("no canvas");
  [kept.canvas.width, kept.canvas.height] = [width, height];
  return kept;
}
