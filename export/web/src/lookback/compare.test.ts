import { expect, test } from "vitest";
import { above, compare, shifted } from "./compare";
import { parse, route } from "./days";

// means makes days from a date on.
const means = (from: string, ...list: (number | null)[]) =>
  list.flatMap((mean, i) => (mean === null ? [] : [{ date: shifted(from, i), mean }]));

test("weeks are compared that have at least five days", () => {
  const list = [
    ...means("2025-05-03", 1, 1, 1, 1, 1, 1, 1, 99),
    ...means("2026-04-26", 4, 4, 4, 4, 4, null, 10),
    ...means("2026-05-03", 5, null, 6, null, 7, null, 8),
    ...means("2026-05-10", 1000), // today, which is not over
  ];
  expect(compare(list, "2026-05-10")).toEqual({
    last: { mean: null, days: 4 },
    before: { mean: 5, days: 6 },
    yearAgo: { mean: 1, days: 7 },
  });
});

test("the day after 28 February is compared with the first of March", () => {
  expect(shifted("2025-02-29", 0)).toBe("2025-03-01");
  expect(shifted("2026-01-03", -7)).toBe("2025-12-27");
});

test("days above a limit are those of this year, and not on it", () => {
  const list = [...means("2025-12-31", 80), ...means("2026-01-01", 26, 25, 16, 15, 3)];
  expect(above(list, "pm2_5", "2026")).toEqual([
    { who: "who", value: 15, days: 3 },
    { who: "eu", value: 25, days: 1 },
  ]);
  expect(above(list, "temperature", "2026")).toEqual([]);
});

test("a table's rows are those of the place, with the dates of the city", () => {
  const districts =
    'area,window_start,window_seconds,quantity,unit,mean\n"Hof, West",2026-03-28T23:00:00Z,86400,pm10,µg/m³,7.5\nNippes,2026-03-28T23:00:00Z,86400,pm10,µg/m³,9\n';
  expect(parse(districts, { kind: "district", id: "Hof, West" }, "Europe/Berlin")).toEqual({
    unit: "µg/m³",
    list: [{ date: "2026-03-29", mean: 7.5 }],
  });
  const station = "window_start,mean,coverage\n2026-03-28T23:00:00Z,7.5,0.750\n2026-03-29T23:00:00Z,9,0.708\n";
  expect(parse(station, { kind: "station", id: "A" }, "Europe/Berlin").list).toEqual([{ date: "2026-03-29", mean: 7.5 }]);
  expect(parse("area,window_start,mean\n", { kind: "city", id: "" }, "Europe/Berlin").list).toEqual([]);
});

test("a cell is asked for by its middle alone", () => {
  const now = new Date("2026-05-10T10:20:30Z");
  expect(route({ kind: "cell", id: "CRS3035RES1000mN3096000E4107000" }, "pm2_5", now)).toMatch(
    /^\/api\/v1\/grid\?window=24h&resolution=1000&bbox=6\.\d{5},50\.\d{5},6\.\d{5},50\.\d{5}&quantity=pm2_5&from=2025-05-02T10:20:30Z&to=2026-05-10T10:20:30Z&format=csv$/,
  );
});
