// Stories of an installation with several cities: the page of all, without scripts, and the way from it to a city's map.
// STORY_PORTAL is its address; it serves Köln and Bonn, and knows of Aachen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { moods, open, seen } from "./browser.mjs";

const origin = process.env.STORY_PORTAL;

for (const mood of moods) {
  test(`all cities are on one page, which needs no scripts, ${mood.locale}`, async () => {
    const { page, complaints, close } = await open("/", { ...mood, origin, javaScriptEnabled: false });
    const city = (name) => page.locator(".cities > li").filter({ has: page.getByRole("link", { name }) });
    for (let tries = 0; (await page.locator(".values").count()) < 2 && tries < 60; tries++) {
      await page.waitForTimeout(1000); // cities are asked every half minute
      await page.reload();
    }
    for (const name of ["Köln", "Bonn"]) assert.match(await city(name).innerText(), /PM2[.,]5 [0-9]+[.,][0-9]\sµg\/m³/);
    assert.match(await city("Köln").innerText(), /(12 Stationen, letzter Messwert|12 stations, last reading)/);
    assert.match(await city("Aachen").innerText(), /(keine Werte|No values)/);
    assert.deepEqual(complaints, []);
    await close();
    const scripted = await open("/", { ...mood, origin }); // axe is a script
    for (let n = 0; n < 4; n++) await scripted.page.keyboard.press("Tab"); // the name, two languages, the first city
    assert.equal(await scripted.page.evaluate(() => document.activeElement.textContent), "Aachen");
    await seen(`portal-${mood.locale.slice(0, 2)}`, scripted.page);
    await scripted.page.getByRole("link", { name: mood.locale === "de-DE" ? "English" : "Deutsch" }).click();
    await scripted.page.locator(mood.locale === "de-DE" ? "html[lang=en]" : "html[lang=de]").waitFor();
    assert.deepEqual(scripted.complaints, []);
    await scripted.close();
  });
}

test("a card leads to the city's own map", async () => {
  const { page, close } = await open("/", { origin });
  await page.getByRole("link", { name: "Bonn" }).click();
  await page.waitForURL(/\/\/bonn\.localhost:/);
  await page.locator(".figure .value").waitFor();
  assert.match(await page.title(), /Bonn/);
  await close();
});
