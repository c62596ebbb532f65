import { expect, test } from "vitest";
import { alone, parse, clamped } from "./series";

const header = "time,station,lon,lat,quantity,value,unit,flags,checks\n";
const row = (time: string, value: string, flags = "") => `${time},AAAAAAA,6.9,50.9,pm2_5,${value},µg/m³,${flags},stuck|outlier\n`;

test("readings count or are excluded, and a long silence breaks the line", () => {
  const found = parse(
    header +
      row("2026-05-01T10:00:00Z", "8.4") +
      row("2026-05-01T10:02:30Z", "999.9", "sentinel") +
      row("2026-05-01T10:05:00Z", "9", "humid") +
      row("2026-05-01T11:05:00Z", "10"),
  );
  const noon = Date.parse("2026-05-01T10:00:00Z") / 1000;
  expect(found.at).toEqual([noon, noon + 150, noon + 300, noon + 750, noon + 3900]);
  expect(found.counted).toEqual([8.4, null, 9, null, 10]);
  expect(found.excluded).toEqual([null, 999.9, null, null, null]);
});

test("no readings are none", () => expect(parse(header)).toEqual({ at: [], counted: [], excluded: [] }));

test("what does not count stands at the edge of what does", () => {
  expect(clamped([null, 1999.9, -1, 10], [null, 8, 12])).toEqual([null, 12, 8, 10]);
  expect(clamped([1999.9, null], [null])).toEqual([1999.9, null]);
});

test("the line of a kit that sends every 20 minutes is not interrupted between its messages", () => {
  const csv = header + row("2026-05-01T10:00:00Z", "5") + row("2026-05-01T10:20:00Z", "5") + row("2026-05-01T11:30:00Z", "5");
  expect(parse(csv).counted).toEqual([5, null, 5, null, 5]);
  expect(parse(csv, 3600).counted).toEqual([5, 5, null, 5]);
});

test("a value without neighbours is found, whatever other times there are between", () => {
  expect(alone([5])).toEqual([0]);
  expect(alone([5, null, 6, 7, null, 8])).toEqual([0, 5]);
  expect(alone([undefined, 5, undefined, 6, null, undefined, 7, undefined])).toEqual([6]);
  expect(alone([null, undefined])).toEqual([]);
});
