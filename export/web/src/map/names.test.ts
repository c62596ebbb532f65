import { expect, test } from "vitest";
import { mercator, type Camera } from "./camera";
import { arrange, type Name } from "./names";

const cologne: Name = { name: "Köln", lon: 6.957, lat: 50.938, people: 1_085_000 };
const town: Name = { name: "Hürth", lon: 6.868, lat: 50.871, people: 60_000 };
const quarter: Name = { name: "Altstadt-Nord", lon: 6.955, lat: 50.942, people: 18_000 };
const village: Name = { name: "Libur", lon: 7.05, lat: 50.84, people: 1_100 };

const camera = (zoom: number): Camera => {
  const [x, y] = mercator(6.957, 50.9);
  return { x, y, zoom, width: 800, height: 800 };
};
const written = (zoom: number) => arrange([village, quarter, town, cologne], camera(zoom), () => [60, 24]).map((w) => w.name.name);

test("the largest places are named first, and none lies on another", () => {
  expect(written(7)).toEqual(["Köln"]);
  expect(written(10)).toEqual(["Köln", "Hürth"]); // the quarter lies below the city's name
  expect(written(11.3)).toEqual(["Köln", "Hürth", "Libur"]);
  expect(written(14)).not.toContain("Hürth"); // it is beyond the edge
});

test("further in there is room for the quarter beside the city's name", () => {
  const near = { ...camera(15), ...{ x: mercator(6.956, 50.94)[0], y: mercator(6.956, 50.94)[1] } };
  expect(arrange([quarter, cologne], near, () => [60, 20]).map((w) => w.name.name)).toEqual(["Köln", "Altstadt-Nord"]);
});

test("where a picture is larger than what is seen, a name is on one side of its edge", () => {
  const wide = { ...camera(10), width: 1200, height: 1200 };
  const all = (edge: [number, number]) => arrange([cologne, town], wide, () => [60, 24], edge).map((w) => w.name.name);
  expect(all([0, 0])).toEqual(["Köln", "Hürth"]);
  expect(all([200, 200])).toEqual(["Köln", "Hürth"]); // both are seen
  expect(all([500, 560])).toEqual(["Köln", "Hürth"]); // one is not seen
  expect(all([470, 200])).toEqual(["Köln"]); // it would be cut
  expect(all([470, 512])).toEqual([]);
});
