// The live stream: it tells of readings and of a grid that changed, and whether it is there.
import type { ReadingEvent } from "../api";

const again = 5000; // milliseconds after the browser gave up
const settle = 400; // milliseconds within which changes of the grid are told once

export interface Listener {
  opened(): void;
  lost(): void;
  grid(): void;
  reading(r: ReadingEvent): void;
}

// listen follows the stream for as long as the page lives.
export function listen(l: Listener): void {
  const stream = new EventSource("/api/v1/stream");
  let pending = 0;
  stream.addEventListener("open", () => l.opened());
  stream.addEventListener("error", () => {
    l.lost();
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    window.setTimeout(() => listen(l), again);
  });
  stream.addEventListener("grid", () => {
    clearTimeout(pending);
    pending = window.setTimeout(() => l.grid(), settle);
  });
  stream.addEventListener("reading", (e) => l.reading(JSON.parse((e as MessageEvent<string>).data) as ReadingEvent));
}
