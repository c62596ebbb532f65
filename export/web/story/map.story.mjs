// The map's story in a real browser, against the running program.
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, fits, open as openPage } from "./browser.mjs";

// open opens the map and waits for its first value, or whatever else says that it is ready.
async function open(path = "/", options = {}, prepare = undefined, ready = ".figure .value") {
  const opened = await openPage(path, options, prepare);
  await opened.page.locator(ready).waitFor();
  return opened;
}

test("the map shows living values in both languages", async () => {
  const { page, complaints, close } = await open();
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  assert.match(await page.locator(".brand").innerText(), /Stadtluft Köln/);
  assert.equal(await page.title(), "Stadtluft Köln");
  assert.match(await page.locator(".maplibregl-canvas").getAttribute("aria-label"), /^Karte: Flächen und Stationen/);
  assert.equal(await page.locator(".maplibregl-ctrl-zoom-in").getAttribute("aria-label"), "Hineinzoomen");
  assert.match(await page.locator(".demo").innerText(), /erfunden/);
  assert.match(await page.locator(".notice").innerText(), /keine amtlichen Messwerte/);
  assert.match(await page.locator(".figure .value").innerText(), /^\d+,\d$/);
  assert.equal(await page.locator(".legend li").filter({ hasText: "gut" }).count(), 1);
  await page.getByRole("button", { name: "English" }).click();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await page.waitForFunction(() => /^\d+\.\d$/.test(document.querySelector(".figure .value")?.textContent ?? ""));
  assert.match(await page.locator(".notice").innerText(), /not regulatory data/);
  assert.deepEqual(complaints, []);
  await close();
});

test("cells open by mouse and by keyboard, and the focus comes back", async () => {
  const { page, complaints, close } = await open();
  await page.waitForFunction(() => document.querySelector(".maplibregl-canvas"));
  await page.locator("#main .skip").focus();
  await page.keyboard.press("Enter"); // "skip to the table" opens it
  const first = page.locator("#table table").first().locator("tbody button").first();
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

// redrawn waits until the page has shown the next grid that it asked for by itself.
async function redrawn(page) {
  const answer = await page.waitForResponse(/\/api\/v1\/grid/, { timeout: 60_000 });
  await answer.finished();
  await drawn(page);
}

test("new values leave the focus and the lists alone", async () => {
  const { page, complaints, close } = await open();
  const english = page.getByRole("button", { name: "English" });
  const quantity = await page.locator("#quantity").elementHandle();
  await english.focus();
  await redrawn(page);
  await redrawn(page);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "English");
  assert.ok(await quantity.evaluate((list) => list.isConnected), "the list was replaced while it could be open");
  await page.locator("#table summary").click();
  const first = page.locator("#table tbody button").first();
  const code = await first.innerText();
  await first.focus();
  await page.keyboard.press("Enter");
  await redrawn(page);
  await redrawn(page);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H2");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), code);
  assert.deepEqual(complaints, []);
  await close();
});

test("values never stand under another quantity's name", async () => {
  const { page, close } = await open("/", {}, (page) =>
    page.route(/grid\?quantity=temperature/, (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"being tested"}' })),
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
  let cut = true;
  const { page, close } = await open("/", {}, (page) =>
    page.route("**/api/v1/stream", (route) => {
      if (!cut) return route.continue();
      cut = false;
      return route.fulfill({ contentType: "text/event-stream", body: "retry: 1000\n\n" });
    }),
  );
  const status = page.locator(".status");
  await status.filter({ hasText: "Verbindung unterbrochen" }).waitFor();
  await status.filter({ hasText: "Verbindung wieder da" }).waitFor();
  await status.filter({ hasText: /^$/ }).waitFor({ state: "attached", timeout: 10_000 });
  await close();
});

test("the printed page holds the table", async () => {
  const { page, close } = await open();
  await page.locator(".legend li").first().waitFor();
  const pages = (await page.pdf()).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  assert.ok(pages > 1, `${pages} page: the table is missing`);
  await close();
});

test("another quantity has its own legend, and values change by themselves", async () => {
  const { page, complaints, close } = await open();
  await page.locator("#quantity").selectOption("temperature");
  await page.locator(".legend h2").filter({ hasText: "Temperatur in °C" }).waitFor();
  await page.locator("#table summary").click();
  await page.locator("#table caption").first().filter({ hasText: "Rasterzellen: Temperatur, letzte 60 Minuten" }).waitFor();
  const last = page.locator(".last");
  const before = await last.innerText();
  assert.match(before, /Letzte Messung \d\d:\d\d:\d\d/);
  await page.waitForFunction((old) => document.querySelector(".last")?.textContent !== old, before, { timeout: 60_000 });
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
      if (await page.locator(".card").isVisible()) return;
    }
  }
  assert.fail("no cell near the middle of the map");
}

test("a mouse opens a card, and its address opens it again", async () => {
  const { page, complaints, close } = await open();
  await redrawn(page);
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

test("a finger opens a card", async () => {
  const { page, complaints, close } = await open("/", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await redrawn(page);
  await page.locator(".map").scrollIntoViewIfNeeded();
  await clickCell(page, (x, y) => page.touchscreen.tap(x, y));
  assert.deepEqual(complaints, []);
  await close();
});

test("the keyboard moves the map, chooses an hour and a district", async () => {
  const { page, complaints, close } = await open();
  await page.locator(".maplibregl-canvas").focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => location.search.includes("place="));
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

test("an hour long ago has no values and says so", async () => {
  const { page, close } = await open("/?window=1h&time=2020-01-01T00:00:00Z&resolution=500", {}, async () => {}, ".figure");
  await page.locator(".figure").filter({ hasText: "Für diese Zeit gibt es keinen Wert" }).waitFor();
  await page.locator("#table summary").click();
  await page.locator("#table").filter({ hasText: "Für diese Auswahl gibt es keine Werte" }).waitFor();
  await close();
});

test("the colours can be changed, and the legend with them", async () => {
  const { page, close } = await open();
  const first = () => page.locator(".legend .swatch").first().evaluate((e) => getComputedStyle(e).backgroundColor);
  assert.equal(await first(), "rgb(80, 240, 230)"); // #50F0E6, ETC HE Report 2024/17
  await page.locator("#colours").selectOption("safe");
  assert.notEqual(await first(), "rgb(80, 240, 230)");
  assert.match(page.url(), /colours=safe/);
  await close();
});

test("the first page weighs at most 400 kB", async () => {
  const sizes = [];
  const { page, close } = await open("/", {}, async (page) => page.on("requestfinished", (r) => /\/api\//.test(r.url()) || /^(blob|data):/.test(r.url()) || sizes.push(r.sizes())));
  await page.locator(".maplibregl-canvas").waitFor();
  const total = (await Promise.all(sizes)).reduce((sum, s) => sum + s.responseBodySize + s.responseHeadersSize, 0);
  assert.ok(total > 100_000 && total <= 400_000, `${total} bytes`);
  await close();
});

test("it fits a phone and a desk, in both languages, light and dark", () => fits("map", "/", (page) => page.locator(".figure .value").waitFor()));

test("an open card does as well", () => fits("card", "/?window=1h&layer=grid", async (page) => {
  await page.locator("#table summary").click();
  await page.locator("#table tbody button").first().click();
  await page.locator(".card .plot").waitFor();
}));
