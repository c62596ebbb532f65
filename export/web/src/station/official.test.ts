import { afterEach, expect, test, vi } from "vitest";
import type { Station } from "../api";
import { official } from "./official";
import type { Series } from "./series";

afterEach(() => vi.unstubAllGlobals());

const at = (lon: number, lat: number, properties: object): object => ({ geometry: { type: "Point", coordinates: [lon, lat] }, properties });
const own = at(6.96, 50.94, { official: false }) as Station;
const series = (start: string[], measured: (number | null)[]): Series => ({ quantity: "no2", start, measured }) as Series;

test("the nearest official station within 5 km that measures the quantity has a value for each window", async () => {
  const stations = [
    { id: "FAR0000", ...at(7.06, 50.94, { name: "far", values: { no2: {} } }) }, // 7 km
    { id: "NEAR000", ...at(7.0, 50.94, { name: "near", values: { no2: {} } }) }, // 2.8 km
    { id: "OTHER00", ...at(6.97, 50.94, { name: "other", values: { o3: {} } }) },
  ];
  const asked: string[] = [];
  vi.stubGlobal("fetch", (route: string) => {
    asked.push(route);
    return Promise.resolve(Response.json(route.includes("/series") ? series(["10", "12"], [4, 6]) : { features: stations }));
  });
  const means = Promise.resolve(series(["10", "11", "12"], [1, 2, 3]));
  const found = await official(own, means, "no2", "24h", new Date("2026-05-01T12:00:00Z"));
  expect(found).toMatchObject({ name: "near", values: [4, null, 6] });
  expect(found?.metres).toBeCloseTo(2800, -2); // 0.04° of longitude at 50.94° north
  expect(asked[1]).toContain("/api/v1/stations/NEAR000/series?quantity=no2&window=1h&from=2026-04-30T12:00:00Z");
  stations.splice(1, 1);
  expect(await official(own, means, "no2", "24h", new Date())).toBeNull();
  expect(await official(at(7, 50.94, { official: true }) as Station, means, "no2", "24h", new Date())).toBeNull();
});
