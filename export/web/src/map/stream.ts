// The live stream: it tells of readings and of a grid that changed, and whether it is there.
import type { ReadingEvent } from "../api";

const reconnectAfter = 5000; // milliseconds after the browser gave up
const gridDelay = 400; // milliseconds within which changes of the grid are told once

export interface Listener {
  opened(): void;
  lost(): void;
  grid(): void;
  readings(list: ReadingEvent[]): void; // those of a frame together
}

// listen follows the stream for as long as the page lives.
export function listen(l: Listener): void {
  const stream = new EventSource("/api/v1/stream");
  const grid = coalesced((then) => window.setTimeout(then, gridDelay), l.grid);
  let batch: ReadingEvent[] = [];
  const readings = coalesced(requestAnimationFrame, () => {
    l.readings(batch);
    batch = [];
  });
  stream.addEventListener("open", () => l.opened());
  stream.addEventListener("error", () => {
    l.lost();
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    window.setTimeout(() => listen(l), reconnectAfter);
  });
  stream.addEventListener("grid", grid);
  stream.addEventListener("reading", (e) => {
    batch.push(JSON.parse((e as MessageEvent<string>).data) as ReadingEvent);
    readings();
  });
}

// once does what it is asked to do a little later, and once where it is asked again before.
function coalesced(wait: (then: () => void) => void, act: () => void): () => void {
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
