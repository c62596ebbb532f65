// One story of the map in a real browser, against the running program named by STORY_URL. With
// STORY_SHOTS it leaves pictures of the page in that folder.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const url = process.env.STORY_URL;
const shots = process.env.STORY_SHOTS;
assert.ok(url, "set STORY_URL to the address of a running stadtluft, such as http://127.0.0.1:8080");
if (shots) mkdirSync(shots, { recursive: true });

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--disable-sync", "--enable-unsafe-swiftshader", "--use-gl=angle", "--use-angle=swiftshader"],
  });
});
after(() => browser?.close());

// open opens the map and fails on whatever the page complains of or asks elsewhere.
async function open(options = {}, path = "/", prepare = async () => {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "de-DE", ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && !/GPU stall|GL Driver/.test(m.text()) && complaints.push(m.text()));
  page.on("pageerror", (e) => complaints.push(String(e)));
  page.on("request", (r) => !r.url().startsWith(url) && !/^(blob|data):/.test(r.url()) && complaints.push(`asked ${r.url()}`));
  await prepare(page);
  await page.goto(url + path);
  await page.locator(".figure .value").waitFor();
  return { page, complaints, close: () => context.close() };
}

test("the map shows living values in both languages", async () => {
  const { page, complaints, close } = await open();
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  assert.match(await page.locator("h1").innerText(), /Stadtluft Köln/);
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
  await page.keyboard.press("Tab");
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
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
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
  const { page, close } = await open({}, "/", (page) =>
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
  const { page, close } = await open({}, "/", (page) =>
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

test("it fits a phone and a desk, in both languages, light and dark", async () => {
  for (const width of [390, 1440]) {
    for (const lang of ["de", "en"]) {
      for (const colorScheme of ["light", "dark"]) {
        const { page, complaints, close } = await open({ viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme }, `/?lang=${lang}`);
        await page.waitForFunction(() => document.querySelectorAll("#table tbody tr").length > 1);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `${width} px ${lang}: ${wide} px too wide`);
        if (shots) {
          await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
          await page.screenshot({ path: `${shots}/map-${width}-${lang}-${colorScheme}.png`, fullPage: width < 600 });
        }
        assert.deepEqual(complaints, []);
        await close();
      }
    }
  }
});
