import { expect, test } from "vitest";
import { days, formats, maxDays, route, snippets, type Download } from "./download";

const wanted: Download = {
  what: "readings",
  quantity: "pm2_5",
  window: "1h",
  from: "2026-05-01",
  to: "2026-05-02",
  format: "csv",
  good: true,
};

test.each<[Partial<Download>, string]>([
  [{}, "/api/v1/readings?from=2026-05-01T00:00:00Z&to=2026-05-03T00:00:00Z&quantity=pm2_5&flags=good&format=csv"],
  [{ good: false, quantity: "", format: "parquet" }, "/api/v1/readings?from=2026-05-01T00:00:00Z&to=2026-05-03T00:00:00Z&format=parquet"],
  [
    { what: "means", window: "24h" },
    "/api/v1/readings?from=2026-05-01T00:00:00Z&to=2026-05-03T00:00:00Z&resolution=1d&quantity=pm2_5&format=csv",
  ],
  [
    { what: "grid", to: "2026-05-31" },
    "/api/v1/grid?from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z&window=1h&quantity=pm2_5&format=csv",
  ],
  [
    { what: "grid", format: "excel_de" },
    "/api/v1/grid?from=2026-05-01T00:00:00Z&to=2026-05-03T00:00:00Z&window=1h&quantity=pm2_5&format=csv&decimal=comma",
  ],
  [{ what: "stations" }, "/api/v1/stations"],
])("%o is %s", (part, want) => expect(route({ ...wanted, ...part })).toBe(want));

test("every format of everything has a line for curl with its address", () => {
  for (const [what, list] of Object.entries(formats)) {
    for (const format of list) {
      if (format === "excel_de") continue; // has none
      const all = snippets({ ...wanted, what: what as Download["what"], format }, "https://luft.example.org/x?y=1&z=2");
      expect(all[0]?.[0]).toBe("curl");
      expect(all[0]?.[1].split("\n").at(-1)).toBe(
        `curl --fail --compressed --output ${what}.${format} 'https://luft.example.org/x?y=1&z=2'`,
      );
      for (const [tool, code] of all) expect(code, tool).toContain("https://luft.example.org/x?y=1&z=2");
    }
  }
});

// As export/README.md promises: 31 days of single values, 366 of hours, 3,660 of days; of the grid 31 of hours and 366 of days.
test.each<[Partial<Download>, number]>([
  [{ format: "geojson" }, 31],
  [{ format: "csv" }, Infinity],
  [{ what: "grid", format: "parquet" }, Infinity],
  [{ what: "stations", format: "geojson" }, Infinity],
  [{ what: "means", format: "json" }, 366],
  [{ what: "means", window: "24h", format: "json" }, 3660],
  [{ what: "grid", format: "json" }, 31],
  [{ what: "districts", window: "24h", format: "json" }, 366],
])("of %o at most %d days can be had at once", (part, want) => expect(maxDays({ ...wanted, ...part })).toBe(want));

test("both days count", () => expect(days(wanted)).toBe(2));
