import { afterEach, expect, test, vi } from "vitest";
import { requests } from "./requests";
import { initialState, ownerOf, quantities } from "./state";

afterEach(() => vi.unstubAllGlobals());

// answers lets a test answer requests in its own order: by a part of their address.
function answers(): (part: string, body: unknown, status?: number) => void {
  const waiting = new Map<string, (r: Response) => void>();
  vi.stubGlobal("fetch", (route: string) => new Promise<Response>((done) => waiting.set(route, done)));
  return (part, body, status = 200) => {
    for (const [route, done] of waiting) if (route.includes(part)) done(Response.json(body, { status }));
  };
}

const series = (quantity: string) => ({ quantity, start: [], measured: [], corrected: [], neighbours: [] });

test("an answer that comes after a later question is not shown", async () => {
  const s = initialState("AAAAAAA", null);
  const [answer, render] = [answers(), vi.fn()];
  const ask = requests(s, render);
  Object.assign(s, { quantity: "pm10", period: "7d" });
  const first = ask.plot();
  s.quantity = "no2";
  const second = ask.plot();
  answer("quantity=no2", series("no2"));
  await second;
  answer("quantity=pm10", series("pm10"));
  await first;
  expect(s.plotted?.series.quantity).toBe("no2");
  expect(s.plotting).toBe(false);
});

test("the owner's key goes with every question about a station", async () => {
  const keys: unknown[] = [];
  vi.stubGlobal("fetch", (route: string, init: RequestInit) => {
    if (route.includes("source=official")) return Promise.resolve(Response.json({ features: [] }));
    keys.push((init.headers as Record<string, string>).Authorization);
    return Promise.resolve(Response.json({ properties: { values: { pm10: {} } } }));
  });
  const ask = requests(initialState("AAAAAAA", ownerOf("#manage=secret")), () => {});
  await ask.station();
  expect(keys).toEqual(["Bearer secret", "Bearer secret", "Bearer secret"]); // the station, its means and its readings
});

test("a plot that fails says so until one comes", async () => {
  const s = initialState("AAAAAAA", null);
  const answer = answers();
  const ask = requests(s, () => {});
  Object.assign(s, { quantity: "pm10", period: "7d" });
  const failing = ask.plot();
  answer("series", { detail: "no store" }, 503);
  await failing;
  expect(s.plotFailure?.()).toContain("no store");
  const coming = ask.plot();
  answer("series", series("pm10"));
  await coming;
  expect(s.plotFailure).toBe(null);
});

test("a station that is gone has no public side", async () => {
  const s = initialState("AAAAAAA", null);
  const answer = answers();
  const asked = requests(s, () => {}).station();
  answer("AAAAAAA", {}, 404);
  await asked;
  expect([s.station, s.failure]).toEqual([null, null]);
});

test("the key of the management is in the fragment", () => {
  expect(ownerOf("#manage=abc")?.key).toBe("abc");
  expect(ownerOf("#manage=")).toBe(null);
  expect(ownerOf("")).toBe(null);
});

test("particles come first, and what is not known last", () => {
  const s = initialState("AAAAAAA", null);
  s.station = { properties: { values: { rssi: {}, temperature: {}, pm10: {} } } } as never;
  expect(quantities(s)).toEqual(["pm10", "temperature", "rssi"]);
});
