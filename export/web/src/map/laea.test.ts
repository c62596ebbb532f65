import { expect, test } from "vitest";
import { cellCentre, parseCell, unproject } from "./laea";

// Made with PROJ 9.1.1, cs2cs EPSG:4326 EPSG:3035.
test("coordinates of the grid are places on the earth", () => {
  for (const [lon, lat, east, north] of [
    [5, 50, 3962799.451, 2999718.853],
    [6.9583, 50.9413, 4107276.629, 3096656.304],
    [10, 52.0001, 4321000.0, 3210011.127],
    [-9.1393, 38.7223, 2665519.214, 1946764.045],
    [24.9384, 60.1699, 5145297.88, 4206147.972],
  ] as const) {
    const place = unproject(east, north);
    expect(place.lon).toBeCloseTo(lon, 5);
    expect(place.lat).toBeCloseTo(lat, 5);
  }
});

test("a cell is where its code says", () => {
  const cell = parseCell("CRS3035RES1000mN3096000E4107000");
  expect(cell).toEqual({ size: 1000, north: 3096000, east: 4107000 });
  const { lon, lat } = cellCentre(cell!);
  expect([lon, lat].map((n) => n.toFixed(3))).toEqual(["6.962", "50.940"]);
  expect(parseCell("1kmN3096E4107")).toBeNull();
});
