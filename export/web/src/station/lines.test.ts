import { beforeEach, expect, test, vi } from "vitest";
import { setLanguage } from "../language";
import type { Official } from "./official";
import type { Readings, Series } from "./series";
import type { Plotted } from "./state";

vi.stubGlobal("matchMedia", () => ({ matches: false }));
vi.stubGlobal("document", { documentElement: {} });
vi.stubGlobal("getComputedStyle", () => ({ getPropertyValue: () => "#123456" }));
vi.mock("uplot", () => ({ default: { join: (tables: unknown[]) => tables } }));

const { content } = await import("./lines");
const { readout, windowAt } = await import("./readout");

beforeEach(() => setLanguage("en"));

const hours = (window: "1h" | "24h", ...measured: (number | null)[]): Series => ({
  station: "AAAAAAA",
  quantity: "pm2_5",
  unit: "µg/m³",
  window,
  start: measured.map((_, i) => new Date(Date.UTC(2026, 4, 1, 10) + i * (window === "1h" ? 3600_000 : 86_400_000)).toISOString()),
  measured,
  corrected: measured.map((v) => (v === null ? null : v - 1)),
  neighbours: measured.map(() => 7),
});

const plotted = (s: Series, r: Readings | null = null, official: Official | null = null): Plotted => ({
  series: s,
  readings: r,
  official,
  period: "24h",
});

const ten = Date.UTC(2026, 4, 1, 10) / 1000;

test("each mean is as wide as its window: the newest one, and one before a gap", () => {
  const [at, corrected] = content(plotted(hours("1h", 9, null, 5))).data as number[][];
  expect(at).toEqual([ten, ten + 3599, ten + 3600, ten + 7199, ten + 7200, ten + 10_799]);
  expect(corrected).toEqual([8, 8, null, null, 4, 4]);
});

test("limits are of daily means, and stand beside nothing else", () => {
  const labels = (window: "1h" | "24h") => content(plotted(hours(window, 9, 5))).lines.map((l) => l.label);
  expect(labels("1h").filter((l) => /limit|guideline/i.test(l))).toEqual([]);
  expect(labels("24h").filter((l) => /limit|guideline/i.test(l))).toHaveLength(2);
});

test("a moment is read as the window it lies in, with the single reading near it", () => {
  const s = hours("1h", 9, null, 5);
  const readings = { at: [ten + 60, ten + 200], counted: [8.4, null], excluded: [null, 999.9] };
  expect([ten - 9, ten + 3599, ten + 3600, ten + 99_999].map((at) => windowAt(s, at))).toEqual([0, 0, 1, 2]);
  expect(readout(plotted(s, readings), 0, "Europe/Berlin", ten + 90)).toBe(
    "Fri 1 May, 12:00–13:00: 8.0 µg/m³ (measured 9.0 µg/m³); neighbourhood 7.0 µg/m³; single reading 8.4 µg/m³",
  );
  expect(readout(plotted(s, readings), 0, "Europe/Berlin", ten + 250)).toMatch(/single reading 999.9 µg\/m³, does not count$/);
  expect(readout(plotted(s, readings), 0, "Europe/Berlin", ten + 3000)).not.toContain("single");
  expect(readout(plotted(s), 1, "Europe/Berlin")).toBe("Fri 1 May, 13:00–14:00: no mean; neighbourhood 7.0 µg/m³");
  expect(readout(plotted(hours("24h", 9, 5)), 1, "Europe/Berlin")).toMatch(/^Saturday,? 2 May 2026: 4.0/);
});

test("an official station nearby has a line, and is read with the others", () => {
  const official = { name: "Clevischer Ring", metres: 1234, values: [7.5, null, 8] };
  const p = plotted(hours("1h", 9, null, 5), null, official);
  const { lines, data } = content(p);
  expect(lines.at(-1)?.label).toBe("official station Clevischer Ring, 1.2 km away");
  expect((data as number[][]).at(-1)).toEqual([7.5, 7.5, null, null, 8, 8]);
  expect(readout(p, 0, "Europe/Berlin")).toMatch(/; neighbourhood 7.0 µg\/m³; Clevischer Ring 7.5 µg\/m³$/);
  expect(readout(p, 1, "Europe/Berlin")).toMatch(/; neighbourhood 7.0 µg\/m³$/);
});
