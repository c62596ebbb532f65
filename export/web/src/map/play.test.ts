import { expect, test, vi } from "vitest";
import { Player, type Film } from "./play";

// film records what is shown; its pictures come at once.
function film(now: string): { film: Film; shown: string[]; failures: unknown[] } {
  const shown: string[] = [];
  const failures: unknown[] = [];
  const f: Film = {
    times: () => ["10", "11", "12", ""],
    now: () => now,
    load: (time) => (time === "bad" ? Promise.reject(new Error("gone")) : Promise.resolve(() => shown.push(time))),
    begin: () => Promise.resolve(),
    changed: vi.fn(),
    failed: (e) => failures.push(e),
    pause: () => 100,
  };
  return { film: f, shown, failures };
}

test.each([
  ["", ["10", "11", "12", ""]],
  ["10", ["11", "12", ""]],
  ["elsewhere", ["10", "11", "12", ""]],
])("from %j it plays %j", async (now, want) => {
  vi.useFakeTimers();
  const { film: f, shown } = film(now);
  const player = new Player(f);
  player.toggle();
  await vi.advanceTimersByTimeAsync(1000);
  expect(shown).toEqual(want);
  expect(player.playing).toBe(false);
  expect(f.changed).toHaveBeenCalledTimes(2); // begun and ended
});

test("it stops between two pictures", async () => {
  vi.useFakeTimers();
  const { film: f, shown } = film("");
  const player = new Player(f);
  player.toggle();
  await vi.advanceTimersByTimeAsync(150);
  player.toggle();
  await vi.advanceTimersByTimeAsync(1000);
  expect(shown).toEqual(["10", "11"]);
});

test("a picture that does not come ends it", async () => {
  vi.useFakeTimers();
  const { film: f, shown, failures } = film("");
  const player = new Player({ ...f, times: () => ["10", "bad", "12"] });
  player.toggle();
  await vi.advanceTimersByTimeAsync(1000);
  expect([shown, failures.map(String), player.playing]).toEqual([["10"], ["Error: gone"], false]);
});
