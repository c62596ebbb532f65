import { expect, test } from "vitest";
import { nearestArea, nextArea } from "./arrowkeys";

// at is a 1 km cell of Cologne, so many cells east and north of a first; the grid is turned by 2.3° there, as EPSG:3035 is.
const turn = (2.3 * Math.PI) / 180;
const at = (east: number, north: number) => ({
  id: `${east},${north}`,
  lon: 6.95 + (east * Math.cos(turn) + north * Math.sin(turn)) / 70.2, // km in a degree
  lat: 50.94 + (north * Math.cos(turn) - east * Math.sin(turn)) / 111.2,
});

test("arrow keys lead to the neighbouring cell", () => {
  const list = [-1, 0, 1].flatMap((x) => [-1, 0, 1].map((y) => at(x, y)));
  const f = (key: string, want: string) => expect(nextArea(list, at(0, 0), key)?.id).toBe(want);
  f("ArrowRight", "1,0");
  f("ArrowLeft", "-1,0");
  f("ArrowUp", "0,1");
  f("ArrowDown", "0,-1");
});

test("over a gap they lead to the next cell, and at the edge nowhere", () => {
  const list = [at(0, 0), at(4, 1), at(1, 2), at(-2, 0)];
  expect(nextArea(list, at(0, 0), "ArrowRight")?.id).toBe("4,1");
  expect(nextArea(list, at(0, 0), "ArrowUp")?.id).toBe("1,2");
  expect(nextArea(list, at(0, 0), "ArrowDown")).toBe(null);
  expect(nextArea(list, at(0, 0), "Enter")).toBe(null);
});

test("every area can be reached from every other by the way back", () => {
  const list = [at(0, 0), at(4, 1), at(1, 2), at(-2, 0), at(3, -5), at(9, 9)];
  const keys = ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"];
  for (const from of list) {
    const seen = new Set([from.id]);
    const queue = [from];
    for (let p = queue.pop(); p; p = queue.pop()) {
      for (const key of keys) {
        const to = nextArea(list, p, key);
        if (to && !seen.has(to.id)) (queue.push(to), seen.add(to.id));
      }
    }
    expect(seen.size, from.id).toBe(list.length);
  }
});

test("the first area is the one in the middle", () => {
  expect(nearestArea([at(3, 0), at(1, 1), at(-2, 0)], at(0, 0))?.id).toBe("1,1");
  expect(nearestArea([], at(0, 0))).toBe(null);
});
