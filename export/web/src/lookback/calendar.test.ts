import { expect, test } from "vitest";
import { shades } from "./calendar";

test("shades have round bounds, the darkest for the highest", () => {
  const found = shades([3.2, 8, 17.5, 41].map((mean, i) => ({ date: `2026-05-0${i + 1}`, mean })));
  expect(found.map((s) => s.high)).toEqual([10, 20, 30, 40, Infinity]);
  expect([found[0]?.colour, found.at(-1)?.colour]).toEqual(["#d3e5ef", "#174a6e"]);
  expect(shades([{ date: "2026-05-01", mean: 4 }]).at(-1)?.high).toBe(Infinity);
});
