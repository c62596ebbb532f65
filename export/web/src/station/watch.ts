// What a station is doing: its diagnosis, polled, and its readings from the live stream.
import type { Health, ReadingEvent } from "../api";
import { send } from "../client";

const pollEvery = 4000; // milliseconds between two requests

export const health = (id: string, key?: string): Promise<Health> =>
  send("GET", `/api/v1/stations/${encodeURIComponent(id)}/health`, undefined, key);

// watch calls the listener with a station's readings, its diagnosis and errors until the function that it returns is called. The key is
// that of its management link, undefined where there is none.
export function watch(
  id: string,
  key: () => string | undefined,
  listener: { reading(r: ReadingEvent): void; health(h: Health): void; failed(e: unknown): void },
): () => void {
  const stream = new EventSource("/api/v1/stream");
  let timer = 0;
  let ended = false;
  const poll = async (): Promise<void> => {
    try {
      const found = await health(id, key());
      if (!ended) listener.health(found);
    } catch (e) {
      if (!ended) listener.failed(e);
    }
    if (!ended) timer = window.setTimeout(() => void poll(), pollEvery);
  };
  stream.addEventListener("reading", (e) => {
    const reading = JSON.parse((e as MessageEvent<string>).data) as ReadingEvent;
    if (reading.station === id) listener.reading(reading);
  });
  void poll();
  return () => {
    ended = true;
    clearTimeout(timer);
    stream.close();
  };
}
