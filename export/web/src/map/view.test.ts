import { expect, test } from "vitest";
import { dayOf, hours, iso, lastHour, onDate, readView, recentHours, defaultView, writeView, type View } from "./view";

test("an empty address is the start, and the start an empty address", () => {
  expect(readView("")).toEqual(defaultView);
  expect(writeView(defaultView, "")).toBe("");
  expect(writeView(defaultView, "?lang=en&quantity=pm10")).toBe("?lang=en");
});

test("what is written is read again", () => {
  const views: View[] = [
    {
      ...defaultView,
      quantity: "pm10",
      window: "1h",
      time: "2026-05-01T10:00:00Z",
      resolution: 500,
      chosen: { kind: "cell", id: "CRS3035RES500mN3096000E4107000" },
    },
    {
      ...defaultView,
      window: "24h",
      time: "2026-04-30T12:00:00Z",
      layer: "districts",
      palette: "safe",
      stations: false,
      chosen: { kind: "district", id: "Köln & Süd" },
    },
    { ...defaultView, place: { lon: 6.9583, lat: 50.9413, zoom: 12.25 }, chosen: { kind: "station", id: "K7D2Q9RM4T" } },
  ];
  for (const view of views) expect(readView(writeView(view, ""))).toEqual(view);
});

test.each([
  "?quantity=<script>",
  "?window=1y",
  "?resolution=300",
  "?window=1h&time=yesterday",
  "?place=1,2",
  "?place=400,1,9",
  "?layer=x&colours=y",
  "?time=2026-05-01T10:00:00Z",
])("%s is not taken over", (search) => expect({ ...readView(search), window: "live" }).toEqual(defaultView));

test("what an address leaves out follows from what it names", () => {
  expect(readView("?cell=CRS3035RES500mN3096000E4107000").resolution).toBe(500);
  expect(readView("?district=Nippes").layer).toBe("districts");
});

const now = Date.parse("2026-05-10T12:03:00Z");

test("the last hour is published five minutes after its end", () => {
  expect(iso(lastHour(now))).toBe("2026-05-10T10:00:00Z");
  expect(iso(lastHour(Date.parse("2026-05-10T12:05:00Z")))).toBe("2026-05-10T11:00:00Z");
});

test("the slider has the last 48 hours, or an older day of the city", () => {
  const last = hours("", "Europe/Berlin", now);
  expect(last).toHaveLength(recentHours);
  expect([iso(last[0] ?? 0), iso(last[47] ?? 0)]).toEqual(["2026-05-08T11:00:00Z", "2026-05-10T10:00:00Z"]);
  const day = hours("2026-05-01T10:00:00Z", "Europe/Berlin", now);
  expect([day.length, iso(day[0] ?? 0), iso(day[23] ?? 0)]).toEqual([24, "2026-04-30T22:00:00Z", "2026-05-01T21:00:00Z"]);
});

// The European clocks go forward on 29 March 2026 and back on 25 October 2026.
test.each([
  ["2026-03-29T10:00:00Z", 23],
  ["2026-10-25T10:00:00Z", 25],
])("the day of %s has %d hours", (time, want) => {
  expect(hours(time, "Europe/Berlin", Date.parse("2026-12-01T00:00:00Z"))).toHaveLength(want);
});

test("another date keeps the hour, and the future is not offered", () => {
  expect(onDate("2026-05-09T08:00:00Z", "2026-05-02", "Europe/Berlin", now)).toBe("2026-05-02T08:00:00Z");
  expect(onDate("2026-05-09T23:00:00Z", "2026-05-10", "Europe/Berlin", now)).toBe("2026-05-09T23:00:00Z"); // it is the 10th in Berlin
  expect(onDate("2026-05-08T18:00:00Z", "2026-05-10", "Europe/Berlin", now)).toBe("2026-05-10T10:00:00Z");
  expect(dayOf(Date.parse("2026-05-09T23:00:00Z"), "Europe/Berlin")).toBe("2026-05-10");
});
