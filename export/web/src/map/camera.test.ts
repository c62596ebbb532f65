import { expect, test } from "vitest";
import { between, degrees, fitted, mercator, noInsets, panned, toScreen, toWorld, zoomed, type Camera } from "./camera";

// Web Mercator (EPSG:3857): 180° is 20037508.34 m from the middle of the world, and Cologne's cathedral at 774594.413, 6610916.933 (PROJ cs2cs).
test("a place lies on the map of the world where Web Mercator has it, and comes back from there", () => {
  const [x, y] = mercator(6.9583, 50.9413);
  expect((x - 0.5) * 2 * 20037508.342789).toBeCloseTo(774594.413, 2);
  expect((0.5 - y) * 2 * 20037508.342789).toBeCloseTo(6610916.933, 2);
  expect(degrees([x, y]).lon).toBeCloseTo(6.9583, 9);
  expect(degrees([x, y]).lat).toBeCloseTo(50.9413, 9);
});

const at = (lon: number, lat: number, zoom: number): Camera => {
  const [x, y] = mercator(lon, lat);
  return { x, y, zoom, width: 440, height: 300 };
};

test("a zoom is twice as near as the one before, and keeps the place under the finger", () => {
  const c = at(7, 50, 10);
  const finger = [100, 40] as const;
  const place = toWorld(c, finger);
  const nearer = zoomed(c, 11, finger);
  toScreen(nearer, place).forEach((n, i) => expect(n).toBeCloseTo(finger[i]!, 6));
  const right = (c: Camera) => toScreen(c, mercator(7.1, 50))[0] - toScreen(c, mercator(7, 50))[0];
  expect(right(nearer)).toBeCloseTo(2 * right(c), 6);
  expect(right(c)).toBeCloseTo((0.1 / 360) * 512 * 2 ** 10, 6);
});

test("what is moved lies so many pixels further", () => {
  const c = at(7, 50, 10);
  const [x, y] = toScreen(panned(c, 30, -20), mercator(7, 50));
  expect([x, y]).toEqual([expect.closeTo(250, 6), expect.closeTo(130, 6)]);
});

test("a whole area lies in the middle of what is not covered, with room around it", () => {
  const [left, top] = mercator(6, 51);
  const [right, bottom] = mercator(8, 50);
  const c = fitted({ ...at(0, 0, 3), height: 1000 }, [left, top, right, bottom], 20, { ...noInsets, bottom: 100 })!;
  expect(toScreen(c, [left, top])[0]).toBeCloseTo(20, 6);
  expect(toScreen(c, [right, top])[0]).toBeCloseTo(420, 6);
  expect((toScreen(c, [left, top])[1] + toScreen(c, [left, bottom])[1]) / 2).toBeCloseTo(450, 6);
  expect(fitted({ ...c, width: 30 }, [left, top, right, bottom], 20, noInsets)).toBeNull();
});

test("a movement keeps what stays where it is, and ends where it should", () => {
  const from = at(7, 50, 10);
  const finger = [100, 40] as const;
  const place = toWorld(from, finger);
  const to = zoomed(from, 12, finger);
  toScreen(between(from, to, 0.4), place).forEach((n, i) => expect(n).toBeCloseTo(finger[i]!, 6));
  expect(between(from, to, 1)).toEqual(to);
});
