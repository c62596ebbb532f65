// The live stream: it tells of readings and of a grid that changed, and whether it is there.
import type { ReadingEvent } from "../api";

const again = 5000; // milliseconds after the browser gave up
const settle = 400; // milliseconds within which changes of the grid are told once

export interface Listener {
  opened(): void;
  lost(): void;
  grid(): void;
  readings(list: ReadingEvent[]): void; // those of a frame together
}

// listen follows the stream for as long as the page lives.
export function listen(l: Listener): void {
  const stream = new EventSource("/api/v1/stream");
  const grid = once((tell) => window.setTimeout(tell, settle), l.grid);
  let heard: ReadingEvent[] = [];
  const readings = once(requestAnimationFrame, () => {
    l.readings(heard);
    heard = [];
  });
  stream.addEventListener("open", () => l.opened());
  stream.addEventListener("error", () => {
    l.lost();
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    window.setTimeout(() => listen(l), again);
  });
  stream.addEventListener("grid", grid);
  stream.addEventListener("reading", (e) => {
    heard.push(JSON.parse((e as MessageEvent<string>).data) as ReadingEvent);
    readings();
  });
}

// once does what it is asked to do a little later, and once where it is asked again before.
function once(wait: (then: () => void) => void, act: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    wait(() => {
      waiting = false;
      act();
    });
  };
}
