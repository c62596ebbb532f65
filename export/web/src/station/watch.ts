// What a station does now: its diagnosis, asked again and again, and its readings as they come.
import type { Health, ReadingEvent } from "../api";
import { ask } from "../client";

const every = 4000; // milliseconds between two looks at the diagnosis

export const health = (id: string): Promise<Health> => ask("GET", `/api/v1/stations/${encodeURIComponent(id)}/health`);

// watch tells of a station's readings and its diagnosis, and of errors, until it is ended.
export function watch(id: string, hear: { reading(r: ReadingEvent): void; health(h: Health): void; failed(e: unknown): void }): () => void {
  const stream = new EventSource("/api/v1/stream");
  let timer = 0;
  let ended = false;
  const look = async (): Promise<void> => {
    try {
      const found = await health(id);
      if (!ended) hear.health(found);
    } catch (e) {
      if (!ended) hear.failed(e);
    }
    if (!ended) timer = window.setTimeout(() => void look(), every);
  };
  stream.addEventListener("reading", (e) => {
    const reading = JSON.parse((e as MessageEvent<string>).data) as ReadingEvent;
    if (reading.station === id) hear.reading(reading);
  });
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
    stream.close();
  };
}
