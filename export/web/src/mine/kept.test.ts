import { beforeEach, expect, test, vi } from "vitest";
import { forgetStation, forgetStations, keepStation, keptStations, managementLink } from "./kept";

let held: Record<string, string> = {};

beforeEach(() => {
  held = {};
  vi.stubGlobal("location", { origin: "https://luft.example" });
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => held[key] ?? null,
    setItem: (key: string, value: string) => (held[key] = value),
    removeItem: (key: string) => delete held[key],
  });
});

test("stations are kept once each, with the key opened last", () => {
  keepStation({ id: "A", key: "1", name: "Hof" });
  keepStation({ id: "B", key: "2", name: "Dach" });
  keepStation({ id: "A", key: "3", name: "Garten" });
  expect(keptStations()).toEqual([
    { id: "A", key: "3", name: "Garten" },
    { id: "B", key: "2", name: "Dach" },
  ]);
  forgetStation("A");
  expect(keptStations().map((k) => k.id)).toEqual(["B"]);
  forgetStations();
  expect(held).toEqual({});
});

test.each(["{", "7", '[null,{"id":"A"},{"id":"B","key":"2","name":"Dach"}]'])("from %s nothing wrong is read", (text) => {
  held["stadtluft.stations"] = text;
  expect(keptStations().map((k) => k.id)).toEqual(text.includes("Dach") ? ["B"] : []);
});

test("a browser that keeps nothing forgets", () => {
  vi.stubGlobal("localStorage", {
    getItem() {
      throw new DOMException("forbidden");
    },
  });
  keepStation({ id: "A", key: "1", name: "Hof" });
  expect(keptStations()).toEqual([]);
});

test("the key is in the fragment", () => {
  expect(managementLink({ id: "K7D2Q9R", key: "a&b" })).toBe("https://luft.example/stations/K7D2Q9R#manage=a%26b");
});
