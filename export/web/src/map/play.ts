// Playing the hours of the slider one after the other, each when the next has come and the last has been seen long enough.

// Film is what is played.
export interface Film {
  times(): string[]; // of the pictures, the last is the newest
  now(): string; // which is shown
  load(time: string): Promise<() => void>; // requests a picture and returns what shows it
  begin(times: readonly string[]): Promise<void>; // before the first
  changed(): void; // it has begun or ended
  failed(e: unknown): void;
  pause(): number; // milliseconds that each picture is shown
}

export class Player {
  private run = 0; // counts runs, so that one that was stopped does nothing more
  playing = false;

  constructor(private film: Film) {}

  toggle(): void {
    if (this.playing) this.stop();
    else void this.play();
  }

  stop(): void {
    if (!this.playing) return;
    this.run++;
    this.playing = false;
    this.film.changed();
  }

  // play begins after the picture that is shown, and from the first one where that is the newest.
  private async play(): Promise<void> {
    const { film } = this;
    const run = ++this.run;
    const times = film.times();
    const at = times.indexOf(film.now());
    this.playing = true;
    film.changed();
    try {
      await film.begin(times);
      for (const time of at < 0 || at === times.length - 1 ? times : times.slice(at + 1)) {
        if (run !== this.run) return;
        const seen = new Promise((done) => setTimeout(done, film.pause()));
        const show = await film.load(time);
        if (run !== this.run) return;
        show();
        await seen;
      }
    } catch (e) {
      if (run === this.run) film.failed(e);
    }
    if (run === this.run) this.stop();
  }
}
