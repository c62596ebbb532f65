// What is to be seen only on the way: the steps of the registration, everything that the management link opens, the operator's tabs
// and the question why. Each in both languages, light and dark.
import assert from "node:assert/strict";
import { test } from "node:test";
import { moods, open, seen } from "./browser.mjs";

const token = process.env.STORY_ADMIN;
assert.ok(token, "set STORY_ADMIN to the administrator's token");

// register walks through the registration and looks at each step.
async function register(page, look) {
  const next = () => page.locator("main button[type=submit]").click();
  await page.locator(".map-canvas").waitFor();
  await page.locator(".place-where input").fill("6.95, 50.94");
  await page.keyboard.press("Enter");
  await page.locator(".said .link").waitFor();
  await look("outside");
  await page.locator(".said .link").click();
  await page.locator(".said.fine").waitFor();
  await look("place");
  await next();
  await page.locator('input[value="airgradient"]').check();
  await look("kit");
  await next();
  await page.locator("[name=name]").fill("Balkon Südstadt");
  await page.locator("[name=email]").fill("niemand");
  await next();
  await look("consent");
  await page.locator("#consent").check();
  await next();
  await page.locator("main p.trouble").waitFor();
  await look("details");
  await page.locator("[name=email]").fill("");
  await next();
  await next();
  await page.locator(".waiting").waitFor();
  await look("done");
  return page.locator("main a.button").getAttribute("href");
}

for (const mood of moods) {
  test(`every step and form is accessible, ${mood.locale}, ${mood.colorScheme}`, async () => {
    const looking = (page, where) => (name, within) =>
      seen(`${where}-${name}-${mood.locale.slice(0, 2)}-${mood.colorScheme}`, page, within);
    const { page, complaints, close } = await open("/register", mood);
    const link = new URL(await register(page, looking(page, "register")));
    assert.deepEqual(
      complaints.filter((c) => !c.includes("422")),
      [],
    );
    await close();

    const own = await open(link.pathname + link.hash, mood);
    await own.page.locator(".manage-forms").waitFor();
    const forms = own.page.locator(".manage-forms > details");
    for (const form of await forms.all()) await form.locator("> summary").click();
    await own.page.locator(".map-canvas").waitFor();
    for (const i of [4, 5]) await forms.nth(i).locator("form > .row button").click();
    await own.page.locator(".manage-forms .qr").waitFor();
    await looking(own.page, "manage")("open");
    await own.close();

    const desk = await open("/admin", mood);
    await desk.page.locator("input[type=password]").fill(token);
    await desk.page.keyboard.press("Enter");
    await desk.page.getByRole("tab").first().waitFor();
    for (const [i, tab] of (await desk.page.getByRole("tab").all()).entries()) {
      await tab.click();
      await looking(desk.page, "admin")(String(i), i === 0 ? ["html"] : ["[role=tablist]", "[role=tabpanel]:not([hidden])"]);
    }
    await desk.page.getByRole("tab").first().click();
    await desk.page
      .getByRole("button", { name: /^(Sperren|Suspend): / })
      .first()
      .click();
    await desk.page.getByRole("dialog").waitFor();
    await looking(desk.page, "admin")("why", ["dialog"]);
    await desk.close();
  });
}
