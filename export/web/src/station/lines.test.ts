import { beforeEach, expect, test, vi } from "vitest";
import { setLanguage } from "../language";
import type { Series } from "./series";

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

const ten = Date.UTC(2026, 4, 1, 10) / 1000;

test("each mean is as wide as its window: the newest one, and one before a gap", () => {
  const [at, corrected] = content(hours("1h", 9, null, 5), null).data as number[][];
  expect(at).toEqual([ten, ten + 3599, ten + 3600, ten + 7199, ten + 7200, ten + 10_799]);
  expect(corrected).toEqual([8, 8, null, null, 4, 4]);
});

test("limits are of daily means, and stand beside nothing else", () => {
  const labels = (window: "1h" | "24h") => content(hours(window, 9, 5), null).lines.map((l) => l.label);
  expect(labels("1h").filter((l) => /limit|guideline/i.test(l))).toEqual([]);
  expect(labels("24h").filter((l) => /limit|guideline/i.test(l))).toHaveLength(2);
});

test("a moment is read as the window it lies in, with the single reading near it", () => {
  const s = hours("1h", 9, null, 5);
  const readings = { at: [ten + 60, ten + 200], counted: [8.4, null], excluded: [null, 999.9] };
  expect([ten - 9, ten + 3599, ten + 3600, ten + 99_999].map((at) => windowAt(s, at))).toEqual([0, 0, 1, 2]);
  expect(readout(s, readings, 0, "Europe/Berlin", ten + 90)).toBe(
    "Fri 1 May, 12:00–13:00: 8.0 µg/m³ (measured 9.0 µg/m³); neighbourhood 7.0 µg/m³; single reading 8.4 µg/m³",
  );
  expect(readout(s, readings, 0, "Europe/Berlin", ten + 250)).toMatch(/single reading 999.9 µg\/m³, does not count$/);
  expect(readout(s, readings, 0, "Europe/Berlin", ten + 3000)).not.toContain("single");
  expect(readout(s, null, 1, "Europe/Berlin")).toBe("Fri 1 May, 13:00–14:00: no mean; neighbourhood 7.0 µg/m³");
  expect(readout(hours("24h", 9, 5), null, 1, "Europe/Berlin")).toMatch(/^Saturday,? 2 May 2026: 4.0/);
});
