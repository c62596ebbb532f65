// Stories of volunteers and editors: looking back, pictures, the stations of a browser, and hours that are played.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { drawn, moods, open, seen, url } from "./browser.mjs";

// register makes a station and returns its answer. It comes from an address of its own, because each may register few stations a day.
async function register(name) {
  const body = JSON.stringify({
    name,
    lon: 6.93,
    lat: 50.93,
    kit: "airrohr-sds011-bme280",
    sensors: ["sds011", "bme280"],
    height: 4,
    exposure: "outdoor",
    licence_consent: true,
  });
  const headers = { "Content-Type": "application/json", "X-Forwarded-For": "203.0.113.7" };
  const response = await fetch(`${url}/api/v1/stations`, { method: "POST", headers, body });
  assert.equal(response.status, 201, await response.clone().text());
  return response.json();
}

// aYear answers the question for the daily means of the city with a year of them, as a server that is older would.
const aYear = (page) =>
  page.route(/\/api\/v1\/city\?window=24h&quantity=pm2_5/, (route) => {
    const rows = Array.from({ length: 372 }, (_, i) => {
      const start = new Date(Date.now() - (372 - i) * 86_400_000).toISOString().slice(0, 10);
      return `Köln,${start}T00:00:00Z,86400,pm2_5,µg/m³,${5 + (i % 30)}`;
    });
    return route.fulfill({
      contentType: "text/csv",
      body: `area,window_start,window_seconds,quantity,unit,mean\n${rows.join("\n")}\n`,
    });
  });

for (const mood of moods) {
  test(`the city's year is looked back at, read by keyboard and saved, ${mood.locale}`, async () => {
    const { page, complaints, close } = await open("/", mood, aYear);
    await page.locator(".figure .value").waitFor();
    await page.getByRole("button", { name: /^(Rückblick|Looking back)$/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.locator(".calendar").waitFor();
    assert.match(await dialog.locator(".facts").innerText(), /(EU ab 2030|EU from 2030)/);
    const reader = dialog.getByRole("slider");
    const newest = await reader.getAttribute("aria-valuetext");
    await reader.focus();
    await page.keyboard.press("ArrowLeft");
    assert.notEqual(await reader.getAttribute("aria-valuetext"), newest);
    assert.match(await reader.getAttribute("aria-valuetext"), /: \d+[.,]\d µg\/m³$/);
    await seen(`lookback-${mood.locale.slice(0, 2)}-${mood.colorScheme}`, page);
    const [saved] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: /SVG/ }).click()]);
    const picture = await readFile(await saved.path(), "utf8");
    assert.ok(/^<svg /.test(picture) && /(Lizenz|licence)\b/.test(picture), picture.slice(-600));
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual(complaints, []);
    await close();
  });

  test(`a map is shared as address, embed and picture, ${mood.locale}`, async () => {
    const { page, complaints, close } = await open("/?window=1h", mood);
    await page.locator(".figure .value").waitFor();
    await page.getByRole("button", { name: /^(Teilen|Share)$/ }).click();
    const dialog = page.getByRole("dialog");
    assert.match(await dialog.locator(".secret").innerText(), /\/\?window=1h$/);
    assert.match(await dialog.locator("pre").innerText(), /<iframe src=".*\/embed\/map\?window=1h&amp;lang=(de|en)"/);
    await seen(`share-${mood.locale.slice(0, 2)}-${mood.colorScheme}`, page);
    const [saved] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: /PNG/ }).click()]);
    const picture = await readFile(await saved.path());
    assert.equal(picture.toString("latin1", 1, 4), "PNG");
    assert.ok(picture.readUInt32BE(16) >= 1200, `${picture.readUInt32BE(16)} px wide`);
    assert.deepEqual(complaints, []);
    await close();
  });

  test(`a browser remembers the stations whose link was opened in it, ${mood.locale}`, async () => {
    const made = await register("Hinterhof");
    const link = new URL(made.manage_link);
    const { page, complaints, close } = await open(link.pathname + link.hash, mood);
    await page.locator(".manage-forms").waitFor();
    await page.goto(`${url}/mine`);
    const mine = page.locator(".mine li").filter({ hasText: "Hinterhof" });
    await mine.locator(".trouble").waitFor(); // it has never reported
    await seen(`mine-${mood.locale.slice(0, 2)}-${mood.colorScheme}`, page);
    await mine.getByRole("button", { name: /weitergeben|Pass on/ }).click();
    const dialog = page.getByRole("dialog");
    assert.equal(new URL(await dialog.locator(".secret").innerText()).hash, link.hash);
    await dialog.locator(".qr").waitFor();
    await page.keyboard.press("Escape");
    await mine.getByRole("button", { name: /Hier entfernen|Remove here/ }).click();
    await mine.waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => localStorage.getItem("stadtluft.stations")), null);
    assert.deepEqual(complaints, []);
    await close();
  });
}

test("the last 48 hours are played, and stop where somebody says so", async () => {
  const { page, complaints, close } = await open("/?window=1h");
  await page.locator(".figure").filter({ hasText: /\d/ }).waitFor();
  const when = page.locator(".when output");
  const newest = await when.innerText();
  await page.getByRole("button", { name: "Abspielen" }).click();
  await page.waitForFunction((old) => document.querySelector(".when output")?.textContent !== old, newest);
  const first = await when.innerText();
  await page.waitForFunction((old) => document.querySelector(".when output")?.textContent !== old, first);
  assert.equal(await when.getAttribute("aria-live"), "off");
  await page.getByRole("button", { name: "Anhalten" }).click();
  await page.waitForFunction(() => /time=\d/.test(location.search));
  const stopped = await when.innerText();
  await drawn(page);
  assert.equal(await when.innerText(), stopped);
  assert.deepEqual(complaints, []);
  await close();
});

test("a year is embedded", async () => {
  const { page, complaints, close } = await open(
    "/embed/city?quantity=pm2_5&show=year&lang=en",
    { viewport: { width: 390, height: 844 } },
    aYear,
  );
  await page.locator(".calendar").waitFor();
  assert.match(await page.locator("h1").innerText(), /^Looking back: Köln$/);
  await seen("embed-year", page);
  assert.deepEqual(complaints, []);
  await close();
});

test("an embedded map needs no WebGL", async () => {
  const { page, complaints, close } = await open("/embed/map?lang=de", { viewport: { width: 390, height: 460 } }, (page) =>
    page.addInitScript(() => {
      const get = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
        return /webgl/i.test(kind) ? null : get.call(this, kind, ...more);
      };
    }),
  );
  await page.waitForFunction(() => performance.getEntriesByName("values").length > 0);
  const colours = await page
    .locator(".map-canvas canvas")
    .first()
    .evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const found = new Set();
      for (let i = 0; i < data.length; i += 4) found.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
      return found.size;
    });
  assert.ok(colours > 20, `only ${colours} colours are on the map`);
  assert.deepEqual(
    complaints.filter((c) => !/willReadFrequently/.test(c)),
    [],
  );
  await close();
});

test("a station's plot is read by keyboard, and its address keeps the period", async () => {
  const [station] = (await (await fetch(`${url}/api/v1/stations?quantity=pm2_5`)).json()).features.filter((f) => f.properties.demo);
  const { page, complaints, close } = await open(`/stations/${station.id}?quantity=pm2_5&period=7d`);
  const reader = page.locator(".plot").locator("xpath=ancestor::*[@role='slider']");
  await reader.waitFor();
  assert.ok(await page.locator('input[value="7d"]').isChecked());
  await reader.focus();
  await page.keyboard.press("Home");
  const first = await reader.getAttribute("aria-valuetext");
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await reader.getAttribute("aria-valuetext"), first);
  await page.locator('input[value="30d"]').check();
  await page.waitForFunction(() => location.search.includes("period=30d"));
  assert.deepEqual(complaints, []);
  await close();
});

test("a station's plot has a line of the official station nearby", async () => {
  const [station] = (await (await fetch(`${url}/api/v1/stations?quantity=pm2_5`)).json()).features.filter((f) => f.properties.demo);
  const { page, complaints, close } = await open(`/stations/${station.id}?quantity=pm2_5`, { locale: "en-GB" }, async (page) => {
    const properties = { name: "Clevischer Ring", values: { pm2_5: {} } };
    await page.route(/stations\?source=official/, (route) =>
      route.fulfill({ json: { type: "FeatureCollection", features: [{ ...station, id: "EXT0000", properties }] } }),
    );
    await page.route(/EXT0000\/series/, async (route) => {
      const response = await route.fetch({ url: route.request().url().replace("EXT0000", station.id) });
      const means = await response.json();
      return route.fulfill({ response, json: { ...means, measured: means.start.map(() => 7.5) } });
    });
  });
  await page.locator(".plot-legend li").filter({ hasText: "official station Clevischer Ring, 0.0 km away" }).waitFor();
  const reader = page.locator(".plot").locator("xpath=ancestor::*[@role='slider']");
  assert.match(await reader.getAttribute("aria-valuetext"), /Clevischer Ring 7\.5 µg\/m³/);
  await page.getByText("The same values as a table").click();
  assert.match(await page.locator("details[open] thead").innerText(), /Clevischer Ring/);
  assert.deepEqual(complaints, []);
  await close();
});

test("a station's page says when the server is away, and that it is back", async () => {
  const made = await register("Ausfall");
  const { page, close } = await open(`/stations/${made.id}`);
  await page.locator("h2").first().waitFor();
  await page.route(/\/health$/, (route) => route.abort());
  await page.locator(".status.trouble").filter({ hasText: "Verbindung unterbrochen" }).waitFor();
  await page.unroute(/\/health$/);
  await page.locator(".status").filter({ hasText: "Verbindung wieder da" }).waitFor();
  await close();
});

for (const mood of moods) {
  test(`a refusal leads to its paragraph of the specification, ${mood.locale}`, async () => {
    const made = await register("Verweigert");
    const authorization = `Basic ${Buffer.from(`${made.id}:${made.token}`).toString("base64")}`;
    const send = (body) => fetch(`${url}/api/v1/push/native`, { method: "POST", headers: { authorization }, body });
    assert.equal((await send("{")).status, 422);
    const { page, complaints, close } = await open(`/stations/${made.id}`, mood);
    const refused = page.locator(".refusals li").first();
    await refused.waitFor();
    assert.equal((await send('{"pm2_5":12.5}')).status, 202);
    await page.locator(".plot canvas").waitFor(); // and then it is accepted
    await refused.getByRole("link").click();
    await page.locator(".specification .meant").filter({ hasText: "malformed" }).waitFor();
    await seen(`specification-${mood.locale.slice(0, 2)}-${mood.colorScheme}`, page);
    assert.deepEqual(complaints, []);
    await close();
  });
}
