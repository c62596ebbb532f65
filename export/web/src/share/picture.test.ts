import { expect, test } from "vitest";
import { fileName, lines } from "./picture";

test("a text is divided at its spaces", () => {
  expect(lines("eins zwei Donaudampfschiff drei", (line) => line.length <= 9)).toEqual(["eins zwei", "Donaudampfschiff", "drei"]);
});

test.each([
  ["Feinstaub PM2,5, Köln 1. Dez. 2026, 02:00–03:00", "feinstaub-pm2-5-köln-1-dez-2026-02-00-03-00.png"],
  ["../„Hof“: CO₂ (ppm)", "hof-co₂-ppm.png"],
])("%s is saved as %s", (title, want) => expect(fileName(title, "png")).toBe(want));
