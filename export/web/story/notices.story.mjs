// An owner chooses notices on the management page, confirms the address with the link of a mail, and unsubscribes with another.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fits, moods, open, seen, url } from "./browser.mjs";

const folder = process.env.STORY_MAILS;
assert.ok(folder, "set STORY_MAILS to the folder in which story/smtp.mjs leaves mails");

// mailTo waits for the n-th mail to an address and returns its text.
async function mailTo(address, n = 1) {
  for (let tries = 0; ; tries++) {
    const found = readdirSync(folder)
      .filter((name) => name.endsWith(".eml"))
      .sort((a, b) => parseInt(a, 10) - parseInt(b, 10))
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .filter((mail) => mail.includes(`To: <${address}>`));
    if (found.length >= n) return decoded(found[n - 1]);
    assert.ok(tries < 300, `no mail to ${address} after a minute`);
    await new Promise((again) => setTimeout(again, 200));
  }
}

// decoded undoes quoted-printable (RFC 2045, section 6.7).
const decoded = (text) =>
  Buffer.from(
    text.replace(/=\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
    "latin1",
  ).toString("utf8");

// link returns a link of a mail's text.
const link = (mail, action) => mail.match(new RegExp(`\\n(http\\S+/notices/${action}/\\S+)`))[1];

let made = 0;

// register registers a station without the page, from an address of its own.
async function register() {
  const response = await fetch(`${url}/api/v1/stations`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Forwarded-For": `198.51.100.${++made}` },
    body: JSON.stringify({
      name: "Balkon Süd",
      lon: 6.97,
      lat: 50.93,
      kit: "airrohr-sds011-bme280",
      height: 4,
      exposure: "outdoor",
      licence_consent: true,
    }),
  });
  assert.equal(response.status, 201, await response.clone().text());
  return response.json();
}

const words = {
  "de-DE": {
    title: "Nachrichten",
    email: "E-Mail-Adresse",
    save: "Speichern",
    sent: "Wir haben eine Mail geschickt",
    asked: "Noch nicht bestätigt",
    confirm: "Ja, sag es mir",
    confirmed: "Bestätigt",
    goes: "Mails gehen an",
    stop: "Adresse löschen",
    stopped: "Die Adresse ist gelöscht",
    old: "Dieser Link gilt nicht mehr",
    wrong: "keine E-Mail-Adresse",
    says: "Jemand, vermutlich du, möchte an dieser Adresse",
  },
  "en-GB": {
    title: "Notices",
    email: "E-mail address",
    save: "Save",
    sent: "We have sent a mail",
    asked: "Not confirmed yet",
    confirm: "Yes, tell me",
    confirmed: "Confirmed",
    goes: "Mails go to",
    stop: "Delete the address",
    stopped: "The address is deleted",
    old: "this link is not valid any more",
    wrong: "is no address",
    says: "Somebody, probably you, wants to be told",
  },
};

for (const [locale, w] of Object.entries(words)) {
  test(`an owner subscribes, confirms and unsubscribes (${locale})`, async () => {
    const s = await register();
    const address = `owner-${locale.toLowerCase()}@example.org`;
    const path = `/stations/${s.id}#manage=${s.manage_token}`;
    const { page, complaints, close } = await open(path, { locale }, undefined);
    const form = page.locator(".manage details").filter({ has: page.locator("summary", { hasText: w.title }) });
    await form.locator("summary").click();
    await form.getByLabel(w.email).fill("owner");
    await form.getByRole("button", { name: w.save }).click();
    await form.getByRole("alert").filter({ hasText: w.wrong }).waitFor();
    await form.getByLabel(w.email).fill(address);
    await form.getByRole("button", { name: w.save }).click();
    await page.locator(".answer").filter({ hasText: w.sent }).waitFor();
    await form.locator("summary").click();
    await form.locator(".trouble").filter({ hasText: w.asked }).waitFor();

    const mail = await mailTo(address);
    assert.ok(mail.includes(w.says), mail);
    await page.goto(link(mail, "confirm"));
    await page.getByRole("button", { name: w.confirm }).click();
    await page.getByRole("status").filter({ hasText: w.confirmed }).waitFor();
    await page.goto(url + path);
    await form.locator("summary").click();
    await form.locator(".fine").filter({ hasText: w.goes }).waitFor();

    await page.goto(link(mail, "unsubscribe"));
    await page.getByRole("button", { name: w.stop }).click();
    await page.getByRole("status").filter({ hasText: w.stopped }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: w.stop }).click();
    await page.getByRole("alert").filter({ hasText: w.old }).waitFor();
    const seen = await fetch(`${url}/api/v1/stations/${s.id}/manage`, { headers: { Authorization: `Bearer ${s.manage_token}` } });
    assert.equal((await seen.json()).notices.email, "");
    assert.deepEqual(
      complaints.filter((c) => !/422|404/.test(c)),
      [],
    );
    await close();
  });
}

test("the notices of a station fit", async () => {
  for (const mood of moods) {
    const s = await register();
    const w = words[mood.locale];
    const { page, complaints, close } = await open(`/stations/${s.id}#manage=${s.manage_token}`, mood);
    const form = page.locator(".manage details").filter({ has: page.locator("summary", { hasText: w.title }) });
    await form.locator("summary").click();
    await seen(`notices-none-${mood.locale}`, page);
    await form.getByLabel(w.email).fill(`seen-${mood.locale.toLowerCase()}@example.org`);
    await form.locator("input[type=url]").fill("https://ntfy.example.org/hof-7k2m9qx4vbt8w3hn5c0rz6jdpg");
    await form.getByRole("button", { name: w.save }).click();
    await page.locator(".answer").filter({ hasText: w.sent }).waitFor();
    await form.locator("summary").click();
    await form.locator(".trouble").filter({ hasText: w.asked }).waitFor();
    await seen(`notices-asked-${mood.locale}`, page);
    assert.deepEqual(complaints, []);
    await close();
  }
  for (const action of ["confirm", "unsubscribe"])
    await fits(`notices-${action}`, `/notices/${action}/0000000/token`, (page) => page.locator("main .button").waitFor());
});
