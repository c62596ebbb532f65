// Pictures for newspapers and posts: a map or a plot with title, time, legend, source and licence, made in the browser.
import type { City } from "../api";
import { t } from "../language";

// Plate is what a picture shows.
export interface Plate {
  title: string;
  time: string;
  image: HTMLCanvasElement;
  scale: number; // pixels of the image to CSS pixels
  caption?: string; // of the legend
  legend: readonly { colour: string; text: string }[];
  colours: { background: string; text: string; muted: string };
}

const ratio = 2; // pixels of the picture to CSS pixels
const margin = 24;
const narrowest = 600; // CSS pixels, so that the source has room
const font = (size: number, weight = 400): string => `${weight} ${size}px system-ui, sans-serif`;

// sourceText says whose data it is, under which licence, and what it is worth.
export const sourceText = (city: City): string =>
  [
    city.properties.demo ? t("frame.demo") : "",
    `${t("frame.licence", { attribution: city.attribution, licence: city.licence })}.`,
    t("frame.notice"),
    location.host,
  ]
    .filter(Boolean)
    .join(" ");

// png makes a picture of a plate.
export async function png(p: Plate, city: City): Promise<Blob> {
  const [wide, high] = [p.image.width / p.scale, p.image.height / p.scale];
  const width = Math.max(narrowest, wide + 2 * margin);
  const canvas = document.createElement("canvas");
  const ctx = canvas.getContext("2d");
  if (!ctx) throw new Error(t("share.noPicture"));
  const inner = width - 2 * margin;
  const title = wrapped(ctx, p.title, font(24, 650), inner);
  const source = wrapped(ctx, sourceText(city), font(12), inner);
  const caption = p.caption ? wrapped(ctx, p.caption, font(13), inner) : [];
  const rows = legendRows(ctx, p.legend, inner);
  const height = 2 * margin + title.length * 30 + 28 + high + caption.length * 20 + rows.length * 24 + 20 + source.length * 17;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  ctx.scale(ratio, ratio);
  ctx.fillStyle = p.colours.background;
  ctx.fillRect(0, 0, width, height);
  ctx.textBaseline = "alphabetic";
  let y = margin;
  const write = (text: string, size: number, weight: number, colour: string, step: number): void => {
    [ctx.font, ctx.fillStyle] = [font(size, weight), colour];
    ctx.fillText(text, margin, y + size);
    y += step;
  };
  for (const line of title) write(line, 24, 650, p.colours.text, 30);
  write(p.time, 15, 400, p.colours.muted, 28);
  ctx.drawImage(p.image, (width - wide) / 2, y, wide, high);
  y += high + 12;
  for (const line of caption) write(line, 13, 400, p.colours.text, 20);
  for (const row of rows) {
    for (const { colour, text, x } of row) {
      [ctx.fillStyle, ctx.strokeStyle, ctx.lineWidth] = [colour, p.colours.muted, 0.75];
      ctx.fillRect(margin + x, y, 14, 14);
      ctx.strokeRect(margin + x, y, 14, 14);
      [ctx.font, ctx.fillStyle] = [font(13), p.colours.text];
      ctx.fillText(text, margin + x + 20, y + 12);
    }
    y += 24;
  }
  y += 4;
  for (const line of source) write(line, 12, 400, p.colours.muted, 17);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error(t("share.noPicture")))), "image/png"));
}

// legendRows places the entries of a legend side by side, as many as fit.
function legendRows(ctx: CanvasRenderingContext2D, list: Plate["legend"], width: number): { colour: string; text: string; x: number }[][] {
  ctx.font = font(13);
  const rows: { colour: string; text: string; x: number }[][] = [];
  let x = Infinity;
  for (const { colour, text } of list) {
    const takes = 20 + ctx.measureText(text).width + 18;
    if (x + takes > width) [x] = [rows.push([]) * 0];
    rows.at(-1)?.push({ colour, text, x });
    x += takes;
  }
  return rows;
}

const wrapped = (ctx: CanvasRenderingContext2D, text: string, fontName: string, width: number): string[] => {
  ctx.font = fontName;
  return lines(text, (line) => ctx.measureText(line).width <= width);
};

// lines divides a text at its spaces into lines that fit; a word that does not is a line of its own.
export function lines(text: string, fits: (line: string) => boolean): string[] {
  const list: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${list.at(-1)} ${word}`;
    if (list.length > 0 && fits(longer)) list[list.length - 1] = longer;
    else list.push(word);
  }
  return list;
}

// fileName returns a name for a picture: what it shows, without what file systems do not like.
export const fileName = (title: string, ending: string): string =>
  `${title
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "")
    .toLowerCase()}.${ending}`;

// download gives a file to the person.
export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
