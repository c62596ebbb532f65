import { expect, test } from "vitest";
import { mercator, projection } from "./preview";

// Web Mercator (EPSG:3857): 180° is 20037508.34 m from the middle of the world, and Cologne's cathedral at 774594.413, 6610916.933 (PROJ cs2cs).
test("a place lies on the map of the world where Web Mercator has it", () => {
  const [x, y] = mercator(6.9583, 50.9413);
  expect((x - 0.5) * 2 * 20037508.342789).toBeCloseTo(774594.413, 2);
  expect((0.5 - y) * 2 * 20037508.342789).toBeCloseTo(6610916.933, 2);
});

const area = {
  type: "Polygon" as const,
  coordinates: [
    [
      [6, 50],
      [8, 50],
      [8, 51],
      [6, 51],
      [6, 50],
    ],
  ],
};

test("a whole area lies in the middle of the frame, with room around it", () => {
  const at = projection(area, null, 440, 1000);
  expect(at(6, 50.5)[0]).toBeCloseTo(20);
  expect(at(8, 50.5)[0]).toBeCloseTo(420);
  expect((at(7, 50)[1] + at(7, 51)[1]) / 2).toBeCloseTo(500);
});

test("a place is in the middle, and a zoom is twice as near as the one before", () => {
  const at = (zoom: number) => projection(area, { lon: 7, lat: 50, zoom }, 400, 300);
  const [near, far] = [at(10), at(9)];
  expect(near(7, 50)).toEqual([200, 150]);
  expect(near(7.1, 50)[0] - 200).toBeCloseTo(2 * (far(7.1, 50)[0] - 200));
  expect(near(7.1, 50)[0] - 200).toBeCloseTo((0.1 / 360) * 512 * 2 ** 10);
});
