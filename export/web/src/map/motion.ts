// The camera of a map while it moves.
import { between, type Camera } from "./camera";

const easeTime = 300; // milliseconds of a movement
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Motion {
  goal: Camera; // where a movement ends
  private frame = 0;

  // changed is called whenever the camera is another.
  constructor(
    public camera: Camera,
    private changed: () => void,
  ) {
    this.goal = camera;
  }

  // set moves at once.
  set(to: Camera): void {
    cancelAnimationFrame(this.frame);
    this.camera = this.goal = to;
    this.changed();
  }

  // ease moves within a moment, or at once for people who prefer that.
  ease(to: Camera): void {
    const from = this.camera;
    if (calm.matches || from.width === 0) return this.set(to);
    cancelAnimationFrame(this.frame);
    this.goal = to;
    const began = performance.now();
    const step = (): void => {
      const part = Math.min(1, (performance.now() - began) / easeTime);
      this.camera = between(from, to, part * (2 - part));
      this.changed();
      if (part < 1) this.frame = requestAnimationFrame(step);
    };
    step();
  }
}
