// Stories of the pages beside the map: coverage, data, explanation, leaflet, embedded cards, addresses that are none.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { drawn, fits, open, url } from "./browser.mjs";

test("coverage leads to a registration with the place filled in", async () => {
  const { page, complaints, close } = await open("/coverage");
  const link = page.locator(".proposals a").first();
  await link.waitFor();
  assert.match(await link.getAttribute("href"), /^\/register\?lon=\d+\.\d+&lat=\d+\.\d+$/);
  assert.deepEqual(complaints, []);
  await close();
});

test("data builds an address that answers", async () => {
  const { page, complaints, close } = await open("/data");
  await page.locator("#what").selectOption("readings");
  await page.locator("#quantity").selectOption("pm10");
  const address = await page.locator(".result pre code").first().innerText();
  assert.match(address, /\/api\/v1\/readings\?from=.*&quantity=pm10&flags=good&format=csv$/);
  const [header, row] = (await (await fetch(address)).text()).split("\n");
  assert.equal(header, "time,station,lon,lat,quantity,value,unit,flags,checks");
  assert.match(row, /,pm10,/);
  assert.equal(await page.locator('[data-key="download"]').getAttribute("href"), address.slice(url.length));
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.locator(".result").getByRole("button", { name: "Kopieren: Adresse der Daten" }).click();
  await page.locator(".result").getByRole("status").filter({ hasText: "Kopiert" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address);
  assert.deepEqual(complaints, []);
  await close();
});

test("data says where a period is too long, and what to do", async () => {
  const { page, complaints, close } = await open("/data?lang=en");
  await page.locator("#format").selectOption("json");
  await page.locator("#from").fill("2026-01-01");
  await page.locator(".result").filter({ hasText: "at most 31 days at a time" }).waitFor();
  assert.equal(await page.locator('[data-key="download"]').count(), 0);
  await page.locator("#format").selectOption("csv");
  const answer = await fetch(url + (await page.locator('[data-key="download"]').getAttribute("href")));
  assert.equal(answer.status, 200);
  assert.deepEqual(complaints, []);
  await close();
});

test("an address that is none has a page that says so", async () => {
  const { page, close } = await open("/nothing/here");
  assert.match(await page.locator("main").innerText(), /Unter \/nothing\/here ist nichts/);
  await close();
});

test("cards and a map stand in a foreign page, other pages do not", async () => {
  const frames = ["/embed/city?lang=de", "/embed/map?lang=de", "/data"].map(
    (path) => `<iframe src="${url}${path}" width="400" height="400"></iframe>`,
  );
  const host = createServer((_, answer) =>
    answer.setHeader("Content-Type", "text/html").end(`<!doctype html><title>Rathaus</title>${frames.join("")}`),
  );
  await new Promise((ready) => host.listen(0, "127.0.0.1", ready));
  const { page, close } = await open("/embed/city", {}, async () => {});
  await page.goto(`http://127.0.0.1:${host.address().port}/`);
  const [city, map, data] = [0, 1, 2].map((i) => page.frameLocator("iframe").nth(i));
  await city.locator(".value").waitFor();
  assert.match(await city.locator("main").innerText(), /keine amtlichen Messwerte/);
  await map.locator(".map-canvas").waitFor();
  await drawn(page);
  assert.equal(await data.locator(".brand").count(), 0); // the browser says why instead
  await close();
  host.close();
});

test("the pages can be installed, and without a connection they say since when", async () => {
  const { page, complaints, close } = await open("/");
  const manifest = await page.evaluate(() => fetch(document.querySelector("link[rel=manifest]").href).then((r) => r.json()));
  for (const { src } of manifest.icons) assert.equal((await fetch(url + src)).status, 200, src);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  assert.deepEqual(complaints, []);
  await page.context().setOffline(true);
  await page.goto(`${url}/data`);
  await page.locator("h1").filter({ hasText: "Keine Verbindung" }).waitFor();
  assert.match(await page.locator("div[lang=de] .since").innerText(), /^Zuletzt war der Server da: \d+\.\d+\.\d+, \d+:\d+\.$/);
  await page.getByRole("link", { name: "Noch einmal versuchen" }).waitFor();
  await page.context().setOffline(false); // which the page notices by itself
  await page.locator(".result pre").first().waitFor();
  await close();
});

test("cards do without the map's library", async () => {
  const asked = [];
  const { close } = await open("/embed/city", {}, async (page) =>
    page.on("requestfinished", async (r) => /\.(js|css)$/.test(r.url()) && asked.push(r.sizes())),
  );
  const total = (await Promise.all(asked)).reduce((sum, s) => sum + s.responseBodySize, 0);
  assert.ok(total < 80_000, `${total} bytes of scripts and styles`); // of which the texts in both languages are a third
  await close();
});

const answer = async (what) => (await fetch(`${url}/api/v1/${what}`)).json();
const features = async (what) => (await answer(what)).features;
const hour = (await answer("city?window=1h&quantity=pm2_5")).properties.window_start; // the last that has ended
const first = async (what) => (await features(what))[0];
const station = (await features("stations?fields=state")).find((s) => s.properties.state === "ok").id;
const { cell } = (await first("grid?quantity=pm2_5")).properties;
const district = encodeURIComponent((await first("districts")).properties.name);

for (const [name, path, ready] of [
  ["districts", "/?layer=districts", ".figure .value"],
  ["past", `/?window=1h&time=${hour}`, ".figure .value"],
  ["long-ago", "/?window=1h&time=2020-05-01T10:00:00Z", ".map-canvas"],
  ["archive", "/archive/", ".masthead"],
  ["api", "/api", ".masthead"],
  ["ogc", "/ogc?f=html", ".masthead"],
  ["collection", "/ogc/collections/stations/items?f=html", ".masthead"],
  ["comparison", "/comparison", ".body h2"],
  ["coverage", "/coverage", ".proposals a"],
  ["data", "/data", ".result pre"],
  ["about", "/about", "#privacy"],
  ["school", "/school", "#teachers"],
  ["missing", "/nothing", "main p"],
  ["embed-city", "/embed/city", ".value"],
  ["embed-map", "/embed/map", ".line li"],
  ["embed-station", `/embed/station/${station}`, ".class"],
  ["embed-cell", `/embed/cell/${cell}`, ".big"],
  ["embed-district", `/embed/district/${district}`, ".big"],
]) {
  test(`${name} fits a phone and a desk, in both languages, light and dark`, () =>
    fits(name, path, (page) => page.locator(ready).first().waitFor()));
}
