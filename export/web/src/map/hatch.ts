// The pattern of cells with one station: a dark line beside a light one, so that it shows on every colour.
const size = 6; // pixels of the pattern

let kept: { ratio: number; pattern: CanvasPattern | null } | null = null;

// hatch returns the pattern for a canvas with so many pixels of the screen to a CSS pixel.
export function hatch(ctx: CanvasRenderingContext2D, ratio: number): CanvasPattern | null {
  if (kept?.ratio !== ratio) kept = { ratio, pattern: ctx.createPattern(tile(Math.round(size * ratio)), "repeat") };
  return kept.pattern;
}

function tile(width: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = width;
  const ctx = canvas.getContext("2d");
  if (!ctx) return canvas;
  ctx.lineWidth = width / 8;
  const line = (colour: string, from: number): void => {
    ctx.strokeStyle = colour;
    ctx.beginPath();
    for (const x of [from - width, from, from + width]) {
      ctx.moveTo(x - width, 2 * width);
      ctx.lineTo(x + 2 * width, -width);
    }
    ctx.stroke();
  };
  line("rgb(20 40 40 / 0.67)", 0);
  line("rgb(255 255 255 / 0.59)", width / 5);
  return canvas;
}
