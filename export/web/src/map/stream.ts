// The live stream: readings, changes of the grid, and whether the connection is up.
import type { ReadingEvent } from "../api";

const reconnectAfter = 5000; // milliseconds, when the browser has given up
const gridDelay = 400; // milliseconds within which changes of the grid count as one

export interface Listener {
  opened(): void;
  lost(): void;
  grid(): void;
  readings(list: ReadingEvent[]): void; // all of an animation frame
}

// listen reads the stream for as long as the page is open.
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

// coalesced returns a function that calls act after a wait, once for all calls during the wait.
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
