import type { play as german } from "../de/play";

export const play: typeof german = {
  start: "Play",
  stop: "Stop",
  what: "Play the last 48 hours",
};
