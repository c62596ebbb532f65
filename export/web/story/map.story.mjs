// The map's story in a real browser, against the running program.
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, fits, open as openPage, url } from "./browser.mjs";

// open opens the map and waits for its first value, or whatever else says that it is ready.
async function open(path = "/", options = {}, prepare = undefined, ready = ".figure .value") {
  const opened = await openPage(path, options, prepare);
  await opened.page.locator(ready).waitFor();
  return opened;
}

let resident; // a station in the middle of the city

// measure lets it measure, so that values change when a story needs it.
async function measure() {
  resident ??= await register();
  const authorization = `Basic ${Buffer.from(`${resident.id}:${resident.token}`).toString("base64")}`;
  resident.value = (resident.value ?? 10) + 1;
  resident.t = Math.max(Math.floor(Date.now() / 1000), resident.t ?? 0) + 1; // a second that has no value yet
  const body = JSON.stringify({ t: resident.t, pm2_5: resident.value, temperature: resident.value });
  const response = await fetch(`${url}/api/v1/push/native`, { method: "POST", headers: { authorization }, body });
  assert.equal(response.status, 202, await response.clone().text());
}

async function register() {
  const ring = (await (await fetch(`${url}/api/v1/city`)).json()).geometry.coordinates.flat(2);
  const [lon, lat] = [0, 1].map((i) => (Math.min(...ring.map((p) => p[i])) + Math.max(...ring.map((p) => p[i]))) / 2);
  const body = JSON.stringify({
    name: "Mitte",
    lon,
    lat,
    kit: "airrohr-sds011-bme280",
    sensors: ["sds011", "bme280"],
    height: 4,
    exposure: "outdoor",
    licence_consent: true,
  });
  const response = await fetch(`${url}/api/v1/stations`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  assert.equal(response.status, 201, await response.clone().text());
  return response.json();
}

// shown waits until the map has drawn values.
const shown = (page) => page.waitForFunction(() => performance.getEntriesByName("values").length > 0);

test("the map shows living values in both languages, weighs at most 150 kB, and prints its table", async () => {
  const sizes = [];
  const count = (page) =>
    page.on("requestfinished", (r) => /\/api\//.test(r.url()) || /^(blob|data):/.test(r.url()) || sizes.push(r.sizes()));
  const { page, complaints, close } = await open("/", {}, async (page) => count(page));
  await shown(page);
  const total = (await Promise.all(sizes)).reduce((sum, s) => sum + s.responseBodySize + s.responseHeadersSize, 0);
  assert.ok(total > 50_000 && total <= 150_000, `${total} bytes`);
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  assert.match(await page.locator(".brand").innerText(), /Stadtluft Köln/);
  assert.equal(await page.title(), "Stadtluft Köln");
  assert.match(await page.locator(".map-canvas").getAttribute("aria-label"), /^Karte: Flächen und Stationen/);
  assert.equal(await page.locator(".zoom-in").getAttribute("aria-label"), "Hineinzoomen");
  assert.match(await page.locator(".demo").innerText(), /erfunden/);
  assert.match(await page.locator(".notice").innerText(), /keine amtlichen Messwerte/);
  assert.match(await page.locator(".figure .value").innerText(), /^\d+,\d$/);
  assert.equal(await page.locator(".legend li").filter({ hasText: "gut" }).count(), 1);
  await page.getByRole("button", { name: "English" }).click();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await page.waitForFunction(() => /^\d+\.\d$/.test(document.querySelector(".figure .value")?.textContent ?? ""));
  assert.match(await page.locator(".notice").innerText(), /not regulatory data/);
  const pages = (await page.pdf()).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  assert.ok(pages > 1, `${pages} page: the table is missing`);
  assert.deepEqual(complaints, []);
  await close();
});

const focused = (page) => page.evaluate(() => document.activeElement.className || document.activeElement.tagName);

test("an address of districts shows cells in a city that has none", async () => {
  const { page, complaints, close } = await open("/?layer=districts", {}, (page) =>
    page.route(/\/api\/v1\/city/, async (route) => {
      const response = await route.fetch();
      const city = await response.json();
      city.properties.districts = 0;
      return route.fulfill({ response, json: city });
    }),
  );
  await shown(page);
  assert.equal(await page.locator("select#area option:checked").innerText(), "Raster 1\u00a0km");
  assert.deepEqual(complaints, []);
  await close();
});

test("districts are on the map with their names, and arrow keys lead from one to the next", async () => {
  await measure();
  const { page, complaints, close } = await open("/?layer=districts");
  await shown(page);
  await page.locator(".map-canvas").focus();
  await page.keyboard.press("ArrowUp");
  const said = page.locator(".map-said");
  await said.filter({ hasText: /\. (Innenstadt|Nippes), Stationen: \d+\.$/ }).waitFor();
  await page.keyboard.press("Enter");
  await page
    .locator(".card h2")
    .filter({ hasText: /Innenstadt|Nippes/ })
    .waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test("arrow keys lead from cell to cell, and each says its value", async () => {
  await measure();
  const { page, complaints, close } = await open();
  await shown(page);
  const canvas = page.locator(".map-canvas");
  const said = page.locator(".map-said");
  await canvas.focus();
  await page.locator(".map-keys").filter({ hasText: "Umschalt und Pfeiltasten: Karte verschieben" }).waitFor();
  assert.ok((await page.locator(".map-keys").boundingBox()).x > 0, "the keys are not shown");
  const plain = await canvas.screenshot();
  await page.keyboard.press("ArrowRight");
  await said.filter({ hasText: /^\d+,\d µg\/m³, [\p{L} ]+\. [\p{L}\-\/ ]+, Zelle N\d+ E\d+ \(1\skm\), Stationen: \d+\.$/u }).waitFor();
  await drawn(page);
  assert.notDeepEqual(await canvas.screenshot(), plain, "the cursor is not seen");
  const cell = /N\d+ E\d+/.exec(await said.innerText())[0];
  await page.keyboard.press("Enter");
  await page.locator(".card h2").filter({ hasText: cell }).waitFor();
  assert.equal(await focused(page), "H2");
  await page.keyboard.press("Escape");
  await page.locator(".card").waitFor({ state: "hidden" });
  assert.equal(await focused(page), "map-canvas");
  const places = new Set([cell]);
  for (let steps = 0; (await said.innerText()) !== "Dort kommt keine Fläche mehr."; steps++) {
    assert.ok(steps < 40, `no end eastwards: ${await said.innerText()}`);
    await page.keyboard.press("ArrowRight");
    places.add(/N\d+ E\d+/.exec(await said.innerText())?.[0]);
  }
  assert.ok(places.size > 2, `only ${[...places]}`);
  const east = (code) => Number(/E(\d+)/.exec(code)[1]);
  const way = [...places].filter(Boolean).map(east);
  assert.deepEqual(
    way,
    way.toSorted((a, b) => a - b),
  );
  await page.keyboard.press("Shift+ArrowRight");
  await page.waitForFunction(() => location.search.includes("place="));
  await page.getByRole("button", { name: "English" }).click();
  await canvas.focus();
  await page.keyboard.press("ArrowLeft");
  await said.filter({ hasText: /^\d+\.\d µg\/m³, [a-z ]+\. [\p{L}\-\/ ]+, 1\skm cell N\d+ E\d+, stations: \d+\.$/u }).waitFor();
  assert.match(await page.locator(".map-keys").innerText(), /Shift and arrow keys: move the map/);
  assert.deepEqual(complaints, []);
  await close();
});

test("cells open from the table by keyboard, and the focus comes back", async () => {
  const { page, complaints, close } = await open();
  await page.locator("#main .skip").focus();
  await page.keyboard.press("Enter"); // "skip to the table" opens it
  const first = page.locator('#table button[data-key^="cell/"]').first();
  await first.waitFor();
  await first.focus();
  await page.keyboard.press("Enter");
  const card = page.locator(".card");
  await card.waitFor();
  assert.match(await card.innerText(), /Stationen/);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H2");
  await page.keyboard.press("Escape");
  await card.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "BUTTON");
  assert.deepEqual(complaints, []);
  await close();
});

// redrawn waits until the page has shown a grid that it asked for by itself, after a new reading.
async function redrawn(page) {
  const answered = page.waitForResponse(/\/api\/v1\/grid/);
  await measure();
  await (await answered).finished();
  await drawn(page);
}

test("new values leave the focus and the lists alone", async () => {
  const { page, complaints, close } = await open();
  const english = page.getByRole("button", { name: "English" });
  const quantity = await page.locator("#quantity").elementHandle();
  await english.focus();
  await redrawn(page);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "English");
  assert.ok(await quantity.evaluate((list) => list.isConnected), "the list was replaced while it could be open");
  await page.locator("#table summary").click();
  const first = page.locator("#table tbody button").first();
  const code = await first.innerText();
  await first.focus();
  await page.keyboard.press("Enter");
  await redrawn(page);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H2");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), code);
  assert.deepEqual(complaints, []);
  await close();
});

test("values never stand under another quantity's name", async () => {
  const { page, close } = await open("/", {}, (page) =>
    page.route(/grid\?quantity=temperature/, (route) =>
      route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"being tested"}' }),
    ),
  );
  await page.locator("#table summary").click();
  await page.locator("#table tbody tr").first().waitFor();
  await page.locator("#quantity").selectOption("temperature");
  await page.locator(".status").filter({ hasText: "being tested" }).waitFor();
  await page.locator("#table").filter({ hasText: "Rasterzellen: Temperatur" }).waitFor();
  assert.doesNotMatch(await page.locator("#table").textContent(), /Rasterzellen.*µg\/m³/);
  await close();
});

test("a lost connection is told, and that it is back", async () => {
  let cut;
  const ready = new Promise((now) => (cut = now));
  let first = true;
  const { page, close } = await open("/", {}, (page) =>
    page.route("**/api/v1/stream", async (route) => {
      if (!first) return route.continue();
      first = false;
      await ready;
      return route.fulfill({ contentType: "text/event-stream", body: "retry: 1000\n\n" });
    }),
  );
  cut();
  const status = page.locator(".status");
  await status.filter({ hasText: "Verbindung unterbrochen" }).waitFor();
  await status.filter({ hasText: "Verbindung wieder da" }).waitFor();
  await status.filter({ hasText: /^$/ }).waitFor({ state: "attached", timeout: 10_000 });
  await close();
});

test("another quantity has its own legend, colours can be changed, and values change by themselves", async () => {
  const { page, complaints, close } = await open();
  const first = () =>
    page
      .locator(".legend .swatch")
      .first()
      .evaluate((e) => getComputedStyle(e).backgroundColor);
  assert.equal(await first(), "rgb(80, 240, 230)"); // #50F0E6, ETC HE Report 2024/17
  await page.locator("#colours").selectOption("safe");
  assert.notEqual(await first(), "rgb(80, 240, 230)");
  assert.match(page.url(), /colours=safe/);
  await page.locator("#quantity").selectOption("temperature");
  await page.locator(".legend h2").filter({ hasText: "Temperatur in °C" }).waitFor();
  await page.locator("#table summary").click();
  await page.locator("#table caption").first().filter({ hasText: "Rasterzellen: Temperatur, letzte 60 Minuten" }).waitFor();
  const last = page.locator(".last");
  const before = await last.innerText();
  assert.match(before, /Letzte Messung \d\d:\d\d:\d\d/);
  await measure();
  await page.waitForFunction((old) => document.querySelector(".last")?.textContent !== old, before);
  assert.deepEqual(complaints, []);
  await close();
});

// clickCell clicks the middle of the map until a card opens: the city's middle has stations in some cell near it.
async function clickCell(page, click) {
  const { x, y, width, height } = await page.locator(".map").boundingBox();
  for (let ring = 0; ring < 12; ring++) {
    for (let step = 0; step < Math.max(1, ring * 6); step++) {
      const angle = (2 * Math.PI * step) / Math.max(1, ring * 6);
      await click(x + width / 2 + ring * 9 * Math.cos(angle), y + height / 2 + ring * 9 * Math.sin(angle));
      const choice = page.locator(".map-choice button").first();
      if (await choice.isVisible()) await choice.click();
      if (await page.locator(".card").isVisible()) return;
    }
  }
  assert.fail("no cell near the middle of the map");
}

test("a mouse opens a card, and its address opens it again", async () => {
  await measure();
  const { page, complaints, close } = await open();
  await shown(page);
  await clickCell(page, (x, y) => page.mouse.click(x, y));
  const heading = await page.locator(".card h2").innerText();
  const address = new URL(page.url());
  assert.match(address.search, /(cell|station)=/);
  await page.goBack();
  await page.locator(".card").waitFor({ state: "hidden" });
  await page.goForward();
  await page.locator(".card h2").filter({ hasText: heading }).waitFor();
  await page.reload();
  await page.locator(".card h2").filter({ hasText: heading }).waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test("on a phone a card that an address opens does not cover its cell", async () => {
  const { features } = await (await fetch(`${url}/api/v1/grid?quantity=pm2_5&resolution=1000`)).json();
  const middle = ({ geometry }) => [0, 1].map((i) => geometry.coordinates[0].slice(0, 4).reduce((sum, p) => sum + p[i] / 4, 0));
  const south = features.reduce((a, b) => (middle(b)[1] < middle(a)[1] ? b : a));
  const phone = { viewport: { width: 390, height: 844 } };
  const { page, complaints, close } = await open(`/?cell=${south.properties.cell}`, phone, undefined, ".card .value");
  await page.waitForURL(/[?&]place=/); // the map has moved
  const [lon, lat, zoom] = new URL(page.url()).searchParams.get("place").split(",").map(Number);
  const size = 512 * 2 ** zoom; // pixels of the world in Web Mercator
  const down = (degrees) => -(size * Math.asinh(Math.tan((degrees * Math.PI) / 180))) / (2 * Math.PI);
  const [map, card] = [await page.locator(".map").boundingBox(), await page.locator(".card").boundingBox()];
  const [x, y] = middle(south);
  const at = [map.x + map.width / 2 + ((x - lon) / 360) * size, map.y + map.height / 2 + down(y) - down(lat)];
  assert.ok(at[0] > map.x && at[0] < map.x + map.width && at[1] > map.y && at[1] < card.y, `the cell is at ${at}, the card at ${card.y}`);
  assert.deepEqual(complaints, []);
  await close();
});

test("a finger opens a card", async () => {
  const { page, complaints, close } = await open("/", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await shown(page);
  await page.locator(".map").scrollIntoViewIfNeeded();
  await clickCell(page, (x, y) => page.touchscreen.tap(x, y));
  assert.deepEqual(complaints, []);
  await close();
});

test("the keyboard chooses an hour", async () => {
  const { page, complaints, close } = await open();
  await page.locator('[data-key="window-1h"]').focus();
  await page.keyboard.press("Enter");
  await page.locator("#hour").focus();
  const newest = await page.locator(".when").innerText();
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction((old) => document.querySelector(".when")?.textContent !== old, newest);
  assert.match(page.url(), /window=1h&time=\d{4}-\d\d-\d\dT\d\d:00:00Z/);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((old) => document.querySelector(".when")?.textContent === old, newest);
  assert.doesNotMatch(page.url(), /time=/);
  assert.deepEqual(complaints, []);
  await close();
});

test("Back leads through five hours, one by one", async () => {
  const { page, complaints, close } = await open("/?window=1h");
  const when = () => page.locator(".when").innerText();
  const list = [await when()];
  await page.locator("#hour").focus();
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press("ArrowLeft");
    await page.waitForFunction((old) => document.querySelector(".when")?.textContent !== old, list.at(-1));
    list.push(await when());
  }
  assert.match(list[0], /\d{4}, \d\d:\d\d–\d\d:\d\d$/); // with its year
  for (const before of list.slice(0, -1).reverse()) {
    await page.goBack();
    await page.waitForFunction((want) => document.querySelector(".when")?.textContent === want, before);
  }
  assert.deepEqual(complaints, []);
  await close();
});

test("all of the map is on the screen beside the choices, and stays while they scroll", async () => {
  const { page, close } = await open();
  for (const [width, height] of [
    [1440, 900],
    [1280, 720],
  ]) {
    await page.setViewportSize({ width, height });
    for (const down of [0, 300]) {
      await page.evaluate((to) => scrollTo({ top: to, behavior: "instant" }), down);
      await drawn(page);
      const box = await page.locator(".map").boundingBox();
      assert.ok(
        box.y >= 0 && box.y + box.height <= height && box.height > height / 2,
        `${width} × ${height}, scrolled ${down}: from ${box.y} to ${box.y + box.height}`,
      );
    }
  }
  await close();
});

test("an hour long ago has no values and says so", async () => {
  const { page, close } = await open("/?window=1h&time=2020-01-01T00:00:00Z&resolution=500", {}, async () => {}, ".figure");
  await page.locator(".figure").filter({ hasText: "Für diese Zeit gibt es keinen Wert" }).waitFor();
  await page.locator("#table summary").click();
  await page.locator("#table").filter({ hasText: "Für diese Auswahl gibt es keine Werte" }).waitFor();
  await close();
});

test("the first visitor of a city without stations is invited to register one", async () => {
  const { page, complaints, close } = await open(
    "/",
    {},
    (page) => page.route("**/api/v1/stations?*", (route) => route.fulfill({ json: { type: "FeatureCollection", features: [] } })),
    ".figure .steps",
  );
  assert.equal(await page.locator(".figure .steps li").count(), 3);
  await page.setViewportSize({ width: 390, height: 844 }); // on which the steps are in the sheet below the map
  await page.locator(".line").getByRole("link", { name: "Hier misst noch niemand. Sei die erste Station." }).waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("link", { name: "Erste Station anmelden" }).click();
  await page.locator(".place-map").waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test("a printer gets every row of a long table", async () => {
  const all = Array.from({ length: 1500 }, (_, i) => ({
    type: "Feature",
    id: `S${i}`,
    geometry: { type: "Point", coordinates: [6.95, 50.93] },
    properties: {
      name: `Nr. ${i}`,
      state: "ok",
      last_seen: "2026-05-01T10:00:00Z",
      values: { pm2_5: { value: i / 10, unit: "µg/m³", time: "2026-05-01T10:00:00Z", flags: [] } },
    },
  }));
  const asked = [];
  const { page, complaints, close } = await open("/", {}, (page) =>
    page.route("**/api/v1/stations?*", (route) => {
      asked.push(new URL(route.request().url()).search);
      return route.fulfill({ json: { type: "FeatureCollection", features: all } });
    }),
  );
  await page.waitForFunction(() => performance.getEntriesByName("stations").length > 0);
  const rows = () => document.querySelectorAll("#table [data-key^=station]").length;
  assert.equal(await page.evaluate(rows), 0);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.equal(await page.evaluate(rows), all.length);
  assert.match(
    await page.locator("#table tr").last().innerText(),
    /^S1499\s+Nr\. 1499\s+149,9 µg\/m³\s+meldet sich\s+1\. Mai 2026, 12:00:00$/,
  );
  assert.deepEqual([...new Set(asked)], ["?fields=name,state,official,last_seen,values&quantity=pm2_5"]);
  assert.deepEqual(complaints, []);
  await close();
});

// colourAt returns a pixel of the map, in parts of its width and height.
const colourAt = (page, right, down) =>
  page
    .locator(".map-canvas canvas")
    .first()
    .evaluate(
      (canvas, [x, y]) => {
        const [r, g, b] = canvas.getContext("2d").getImageData(Math.round(canvas.width * x), Math.round(canvas.height * y), 1, 1).data;
        return `#${[r, g, b].map((n) => n.toString(16).padStart(2, "0")).join("")}`;
      },
      [right, down],
    );

test("the map is drawn without WebGL, and printed in the colours of the day", async () => {
  const options = { colorScheme: "dark" };
  const { page, complaints, close } = await open("/", options, (page) =>
    page.addInitScript(() => {
      const real = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return /webgl/.test(kind) ? null : real.call(this, kind, ...rest);
      };
    }),
  );
  await shown(page);
  assert.equal(await colourAt(page, 0.01, 0.5), "#1d2626"); // the land by night
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.equal(await colourAt(page, 0.01, 0.5), "#eef1ee");
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await page.waitForFunction(
    () => document.querySelector(".map-canvas canvas").getContext("2d").getImageData(5, 300, 1, 1).data[0] === 0x1d,
  );
  assert.deepEqual(
    complaints.filter((c) => !/willReadFrequently/.test(c)),
    [],
  );
  await close();
});

test("a map that is dragged is not drawn again before it rests", async () => {
  const { page, complaints, close } = await open("/", {}, (page) =>
    page.addInitScript(() => {
      const fill = CanvasRenderingContext2D.prototype.fill;
      window.fills = 0;
      CanvasRenderingContext2D.prototype.fill = function (...what) {
        window.fills++;
        return fill.apply(this, what);
      };
    }),
  );
  await shown(page);
  const { x, y, width, height } = await page.locator(".map-canvas").boundingBox();
  const [right, down] = [x + width / 2, y + height / 2];
  await page.mouse.move(right, down);
  await page.mouse.down();
  await page.mouse.move(right + 50, down + 10);
  const moved = await page.evaluate(async () => {
    const surface = document.querySelector(".map-canvas");
    const at = () => surface.querySelector("canvas").getBoundingClientRect().left;
    const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await painted();
    const [left, fills] = [at(), window.fills];
    for (let i = 0; i < 20; i++) {
      const box = surface.getBoundingClientRect();
      const [clientX, clientY] = [box.left + box.width / 2 + 50 + i, box.top + box.height / 2 + 10];
      surface.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, pointerType: "mouse", clientX, clientY }));
      await painted();
    }
    return { left: at() - left, fills: window.fills - fills };
  });
  assert.deepEqual(moved, { left: 19, fills: 0 });
  await page.mouse.up();
  await page.waitForURL(/[?&]place=/); // it rests
  assert.deepEqual(complaints, []);
  await close();
});

test("an address opens a station's card, one that is none says so, and a cell without values as well", async () => {
  await measure();
  const { page, complaints, close } = await open(`/?station=${resident.id}`);
  await page.locator(".card").filter({ hasText: "airrohr-sds011-bme280" }).waitFor();
  await page.goto(`${url}/?station=0000000`);
  await page.locator(".card").filter({ hasText: "Hier gibt es nichts" }).waitFor();
  await page.goto(`${url}/?cell=CRS3035RES1000mN3000000E4000000`);
  await page.locator(".card").filter({ hasText: "Für diese Zeit gibt es keinen Wert" }).waitFor();
  assert.equal(await page.locator(".status").innerText(), "");
  assert.deepEqual(
    complaints.filter((c) => !/status of 404/.test(c)),
    [],
  );
  await close();
});

test("it fits a phone and a desk, in both languages, light and dark", () =>
  fits("map", "/", (page) => page.locator(".figure .value").waitFor()));

test("an open card does as well", () =>
  fits(
    "card",
    "/?window=1h&layer=grid",
    async (page) => {
      await page.locator("#table summary").click();
      await page.locator("#table tbody button").first().click();
      await page.locator(".card .plot").waitFor();
    },
    /^$/,
    [".card", "#table"],
  ));
