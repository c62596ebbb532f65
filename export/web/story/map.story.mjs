// The map's story in a real browser, against the running program.
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, fits, open as openPage } from "./browser.mjs";

// open opens the map and waits for its first value.
async function open(path = "/", options = {}, prepare = undefined) {
  const opened = await openPage(path, options, prepare);
  await opened.page.locator(".figure .value").waitFor();
  return opened;
}

test("the map shows living values in both languages", async () => {
  const { page, complaints, close } = await open();
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  assert.match(await page.locator(".brand").innerText(), /Stadtluft Köln/);
  assert.equal(await page.title(), "Stadtluft Köln");
  assert.equal(await page.locator(".maplibregl-canvas").getAttribute("aria-label"), "Karte: Rasterzellen und Stationen");
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
  await page.locator("#table tbody tr").first().waitFor({ state: "attached" });
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
  await page.locator("#table tbody tr").nth(60).waitFor({ state: "attached" });
  const pages = (await page.pdf()).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  assert.ok(pages > 1, `${pages} page: the table is missing`);
  await close();
});

test("another quantity has its own legend, and values change by themselves", async () => {
  const { page, complaints, close } = await open();
  await page.locator("#quantity").selectOption("temperature");
  await page.locator(".legend h2").filter({ hasText: "Temperatur in °C" }).waitFor();
  await page.locator("#window").selectOption("1h");
  await page.locator("#table table caption").first().filter({ hasText: "letzte volle Stunde" }).waitFor({ state: "attached" });
  const last = page.locator(".last");
  const before = await last.innerText();
  assert.match(before, /Letzte Messung \d\d:\d\d:\d\d/);
  await page.waitForFunction((old) => document.querySelector(".last")?.textContent !== old, before, { timeout: 60_000 });
  assert.deepEqual(complaints, []);
  await close();
});

test("it fits a phone and a desk, in both languages, light and dark", () =>
  fits("map", "/", (page) => page.waitForFunction(() => document.querySelectorAll("#table tbody tr").length > 1)));
