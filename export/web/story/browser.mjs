// What the stories share: one Chromium, pages that complain when they should not, pictures, and accessibility.
// STORY_URL is the address of a running stadtluft; with STORY_SHOTS pictures are left in that folder.
import axe from "axe-core";
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before } from "node:test";
import { launch } from "./chromium.mjs";

export const url = process.env.STORY_URL;
const shots = process.env.STORY_SHOTS;
assert.ok(url, "set STORY_URL to the address of a running stadtluft, such as http://127.0.0.1:8080");
if (shots) mkdirSync(shots, { recursive: true });

const patience = 90_000; // milliseconds: machines that run tests are busy

let browser;
before(async () => {
  browser = await launch("--disable-gpu-compositing", "--disable-gpu-rasterization"); // the GPU is software: WebGL alone needs it
});
after(() => browser?.close());

// open opens a page, of the running stadtluft unless another origin is given, and waits for its heading. complaints holds
// whatever the page complains of or asks elsewhere.
export async function open(path = "/", { origin = url, ...options } = {}, prepare = async () => {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "de-DE", ...options });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const complaints = [];
  const itself = (m) => m.location().url === origin + path && /status of 404/.test(m.text()); // a page that says it is none
  page.on(
    "console",
    (m) => ["error", "warning"].includes(m.type()) && !/GPU stall|GL Driver/.test(m.text()) && !itself(m) && complaints.push(m.text()),
  );
  page.on("pageerror", (e) => complaints.push(String(e)));
  page.on("request", (r) => !r.url().startsWith(origin) && !/^(blob|data):/.test(r.url()) && complaints.push(`asked ${r.url()}`));
  await page.addInitScript(hasten);
  await prepare(page);
  await page.goto(origin + path);
  await page.locator("h1").first().waitFor();
  return { page, complaints, close: () => context.close() };
}

// hasten lets pages that ask for a station's health every 4 s (station/watch.ts) ask ten times as often.
function hasten() {
  const wait = window.setTimeout;
  window.setTimeout = (then, delay, ...more) => wait(then, delay === 4000 ? 400 : delay, ...more);
}

// drawn waits until the browser has painted what is on the page now.
export const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

const widths = { 390: 844, 1440: 900 };

// fits looks at a page at 390 and 1440 px, in both languages, light and dark: nothing is wider than the screen, axe finds
// nothing, nobody complains. axe takes seconds, so it sees each language in each scheme once, and colours, which take most of them
// and are the same in both languages, in the first. ready waits until the page shows what it should; name is that of the pictures;
// a complaint that is meant to be there matches expected; axe looks at what is within, where the rest was looked at elsewhere.
export async function fits(name, path, ready = async () => {}, expected = /^$/, within = ["html"]) {
  const { page, complaints, close } = await open(path);
  await ready(page);
  for (const [lang, sizes] of [
    ["de", [1440, 390]],
    ["en", [390, 1440]],
  ]) {
    if (lang === "en") await speakEnglish(page, ready);
    for (const width of sizes) {
      await page.setViewportSize({ width, height: widths[width] });
      for (const colorScheme of ["light", "dark"]) {
        const where = `${name}-${width}-${lang}-${colorScheme}`;
        await page.emulateMedia({ colorScheme });
        await drawn(page);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `${where}: ${wide} px too wide`);
        if ((width === 390) === (colorScheme === "light"))
          assert.deepEqual(await violations(page, within, lang === "de" ? [] : ["color-contrast"]), [], where);
        if (shots) await page.screenshot({ path: `${shots}/${where}.png`, fullPage: true });
      }
    }
  }
  assert.deepEqual(
    complaints.filter((c) => !expected.test(c)),
    [],
    name,
  );
  await close();
}

// speakEnglish takes the button where a page has one; what is embedded has its language in the address.
async function speakEnglish(page, ready) {
  const button = page.getByRole("button", { name: "English" });
  if (await button.count()) {
    await button.click();
  } else {
    const address = new URL(page.url());
    address.searchParams.set("lang", "en");
    await page.goto(address.href);
    await ready(page);
  }
  await page.locator("html[lang=en]").waitFor();
}

// moods are each language in one of the schemes, for what is looked at by itself.
export const moods = [
  { locale: "de-DE", colorScheme: "light" },
  { locale: "en-GB", colorScheme: "dark" },
];

// seen leaves a picture at both widths and expects axe to find nothing within parts of the page.
export async function seen(name, page, within = ["html"]) {
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: widths[width] });
    await drawn(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name} at ${width}: ${wide} px too wide`);
    if (shots) await page.screenshot({ path: `${shots}/${name}-${width}.png`, fullPage: true });
  }
  assert.deepEqual(await violations(page, within), [], name);
}

// violations are what axe finds within parts of a page, by all of its rules or without some. A page keeps axe until it is left.
async function violations(page, within, without = []) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const options = {
    resultTypes: ["violations"],
    elementRef: false,
    rules: Object.fromEntries(without.map((rule) => [rule, { enabled: false }])),
  };
  const found = await page.evaluate(([include, options]) => window.axe.run({ include }, options), [within.map((part) => [part]), options]);
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`);
}
