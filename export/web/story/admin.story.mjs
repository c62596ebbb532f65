// The operator's story: log in, suspend a station and approve it, renew a link, read the record, download a backup.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fits, open, url } from "./browser.mjs";

const token = process.env.STORY_ADMIN;
assert.ok(token, "set STORY_ADMIN to the administrator's token");

async function logIn(page) {
  await page.locator("input[type=password]").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("tab").first().waitFor();
}

test("the operator suspends a station, whose owner reads why, and lifts that", async () => {
  const { page, complaints, close } = await open("/admin");
  await page.locator("input[type=password]").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "Das ist nicht das Token der Verwaltung." }).waitFor();
  await logIn(page);
  assert.deepEqual(await page.context().cookies(), []);
  const stations = (await (await fetch(`${url}/api/v1/stations`)).json()).features;
  const { id } = stations.findLast((f) => f.properties.demo); // stories beside this one look at the first
  await page.getByLabel("Suche").fill(id);
  const row = page.locator("tbody tr").filter({ hasText: id });
  await row.getByRole("button", { name: "Neuer Link" }).click();
  const made = page.getByRole("status").filter({ hasText: `/stations/${id}#manage=` });
  const link = (await made.innerText()).match(/\/stations\/\S+#manage=\w+/)[0];
  await row.getByRole("button", { name: "Sperren" }).click();
  await page.getByRole("button", { name: "Abbrechen" }).click();
  await row.getByRole("button", { name: "Sperren" }).click();
  await page.getByLabel("Grund").fill("hängt in der Küche");
  await page.getByRole("dialog").getByRole("button", { name: "Sperren" }).click();
  await page.getByRole("status").filter({ hasText: "gesperrt" }).waitFor();
  assert.equal((await fetch(`${url}/api/v1/stations/${id}`)).status, 404);
  const owner = await open(link);
  await owner.page
    .getByRole("status")
    .filter({ hasText: "Die Stadt hat sie gesperrt" })
    .filter({ hasText: "„hängt in der Küche“" })
    .waitFor();
  await owner.close();
  await page.getByLabel("Zeige").selectOption("suspended");
  await page.getByRole("cell", { name: "gesperrt hängt in der Küche" }).waitFor();
  await page.getByRole("button", { name: "Sperre aufheben" }).click();
  await page.getByRole("status").filter({ hasText: "nicht mehr gesperrt und wieder: in Betrieb" }).waitFor();
  assert.equal((await fetch(`${url}/api/v1/stations/${id}`)).status, 200);
  await page.getByRole("tab", { name: "Änderungen" }).click();
  const changes = page.getByRole("tabpanel");
  const rows = await changes.locator("tbody tr").filter({ hasText: id }).allInnerTexts();
  assert.match(rows[0], /Grund der Sperre\s+hängt in der Küche\s+–/);
  assert.match(rows[1], /Zustand\s+gesperrt\s+in Betrieb/);
  assert.match(rows[2], /Grund der Sperre\s+–\s+hängt in der Küche/);
  assert.match(rows[3], /Zustand\s+in Betrieb\s+gesperrt/);
  assert.match(rows[4], new RegExp(`${id}.*Stadt.*neuer Verwaltungslink`, "s"));

  await page.getByRole("tab", { name: "Konfiguration" }).click();
  assert.match(await page.getByRole("tabpanel").innerText(), /admin_token\s+\*\*\*/);
  await page.getByRole("tab", { name: "Sicherung" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Sicherung herunterladen" }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^stadtluft-backup-.*\.tar\.gz$/);

  await page.reload();
  await page.getByRole("tab").first().waitFor();
  await page.getByRole("button", { name: "Abmelden" }).click();
  await page.locator("input[type=password]").waitFor();
  assert.deepEqual(
    complaints.filter((c) => !c.includes("401")),
    [],
  );
  await close();
});

test("the desk fits", async () => {
  await fits("admin-log-in", "/admin");
  await fits("admin", "/admin", logIn, /^$/, ["header", "main [role=tablist]"]); // what is below the tabs is seen with them
});
