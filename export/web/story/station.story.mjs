// A volunteer's story: register by keyboard, publish, see the first message; then everything the management link can do.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fits, open, url } from "./browser.mjs";

const mqtt = process.env.STORY_MQTT;
assert.ok(mqtt, "set STORY_MQTT to the port of the embedded broker");

let sent = 0;

// publish sends a payload as a station does.
function publish(id, token, payload) {
  return spawnSync(
    "mosquitto_pub",
    [
      "-h",
      "127.0.0.1",
      "-p",
      mqtt,
      "-q",
      "1",
      "-V",
      "311",
      "-i",
      `story-${id}-${++sent}`,
      "-u",
      id,
      "-P",
      token,
      "-t",
      `stadtluft/v1/${id}/reading`,
      "-m",
      payload,
    ],
    { encoding: "utf8", timeout: 20_000 },
  );
}

// made registers a station without the page.
async function made(name) {
  const response = await fetch(`${url}/api/v1/stations`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      name,
      lon: 6.97,
      lat: 50.93,
      kit: "airrohr-sds011-bme280",
      sensors: ["sds011", "bme280"],
      height: 4,
      exposure: "outdoor",
      side: "s",
      email: "owner@example.org",
      licence_consent: true,
    }),
  });
  assert.equal(response.status, 201, await response.clone().text());
  return response.json();
}

// page opens a station's management.
const manage = (s, options) => open(`/stations/${s.id}#manage=${s.manage_token}`, options, undefined);

// unfold opens one of the forms and gives it back.
async function unfold(page, title) {
  const form = page.locator(".manage details").filter({ has: page.locator("summary", { hasText: title }) });
  await form.locator("summary").click();
  return form;
}

const said = (page, text) => page.locator(".answer").filter({ hasText: text }).waitFor();

test("a volunteer registers by keyboard alone and sees the first message", async () => {
  const { page, complaints, close } = await open("/register");
  const key = (name) => page.keyboard.press(name);
  await page.getByLabel("Koordinaten").focus();
  await page.keyboard.type("6.9583, 50.9413"); // swapped
  await key("Enter");
  await page
    .locator(".said.trouble")
    .filter({ hasText: "liegt mehr als 20 km außerhalb der Stadt. Meintest du 50.94130, 6.95830?" })
    .waitFor();
  await page.getByRole("button", { name: "Meintest du" }).focus();
  await key("Enter");
  await page
    .locator(".said.fine")
    .filter({ hasText: /CRS3035RES100mN\d+E\d+/ })
    .waitFor();
  assert.equal(await page.getByLabel("Koordinaten").inputValue(), "50.94130, 6.95830");
  await page.getByLabel("Koordinaten").focus();
  await key("Control+A");
  await page.keyboard.type("50,9413 6,9583");
  await key("Tab");
  await page
    .locator(".said.fine")
    .filter({ hasText: /CRS3035RES100mN\d+E\d+/ })
    .waitFor();
  await page.getByRole("button", { name: "Weiter" }).focus();
  await key("Enter");
  await page.locator("h2").filter({ hasText: "Welcher Bausatz" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Welcher Bausatz ist es?");
  await page.locator('input[value="airrohr"]').focus();
  for (let i = 0; i < 2; i++) await key("ArrowDown");
  assert.ok(await page.locator('input[value="esphome"]').isChecked());
  await page.getByRole("button", { name: "Weiter" }).focus();
  await key("Enter");
  await page.getByRole("button", { name: "Weiter" }).focus();
  await key("Enter"); // without a name
  await page.getByRole("alert").filter({ hasText: "Der Name fehlt" }).waitFor();
  await page.getByLabel("Name", { exact: true }).focus();
  await page.keyboard.type("Balkon <b>Süd</b>");
  await page.getByLabel("Höhe").focus();
  await key("Control+A");
  await page.keyboard.type("4,5");
  await key("Enter");
  await page.locator("#consent").focus();
  await key("Space");
  await page.getByRole("button", { name: "Station anmelden" }).focus();
  await key("Enter");
  await page.locator("h1").filter({ hasText: "„Balkon <b>Süd</b>“ ist angemeldet" }).waitFor();
  const [id, token] = await page.locator(".secret").allInnerTexts();
  assert.match(await page.getByRole("tab", { selected: true }).innerText(), /ESPHome/);
  await page.getByRole("tab", { selected: true }).focus();
  await key("ArrowRight");
  assert.match(await page.getByRole("tabpanel").innerText(), new RegExp(`MqttUser ${id}; MqttPassword ${token}`));
  await page.locator(".waiting").waitFor();

  publish(id, "wrong", '{"pm2_5":8.4}');
  await page.locator(".heard").filter({ hasText: "falschen Token" }).waitFor();
  publish(id, token, '{"pm2_5":"8.4"}');
  await page.locator(".heard").filter({ hasText: "Sende Zahlen ohne Anführungszeichen" }).waitFor();
  assert.equal(publish(id, token, '{"pm2_5":8.4,"temperature":21}').status, 0);
  await page
    .locator(".first")
    .filter({ hasText: /Erste Nachricht erhalten um \d\d:\d\d:\d\d: Feinstaub PM2,5 8,4 µg\/m³, Temperatur 21,0 °C/ })
    .waitFor();

  await page.getByRole("button", { name: "English" }).click();
  await page
    .locator(".first")
    .filter({ hasText: /First message received \d\d:\d\d:\d\d: Particulate matter PM2.5 8.4 µg\/m³/ })
    .waitFor();
  await page.getByRole("link", { name: "To the station's page" }).click();
  await page.locator(".manage h2").waitFor();
  assert.match(await page.locator("h1").innerText(), /Balkon <b>Süd<\/b>/);
  await page.getByText("It is reporting, and its values count.").waitFor();
  await page.locator(".plot canvas").waitFor();
  assert.deepEqual(
    complaints.filter((c) => !c.includes("422")),
    [],
  );
  await close();
});

test("a volunteer finds Ehrenfeld, registers there by touch, and sees the first message", async () => {
  const { page, complaints, close } = await open("/register", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const tapMiddle = async () => {
    const box = await page.locator(".place-map").boundingBox();
    await page.touchscreen.tap(box.x + box.width / 2 + 20, box.y + box.height / 2 + 20);
  };
  await page.getByLabel("Ort oder Stadtteil").fill("ehrenf");
  await page.keyboard.press("Enter");
  const status = page.locator(".said");
  await status.filter({ hasText: "Ehrenfeld: Tippe nun auf den Ort" }).waitFor();
  await page.locator(".place-map").scrollIntoViewIfNeeded();
  await tapMiddle();
  await status.filter({ hasText: "noch einmal auf die genaue Stelle" }).waitFor();
  await page.waitForTimeout(400); // the map is moving
  await tapMiddle();
  await status.filter({ hasText: /CRS3035RES100mN\d+E\d+/ }).waitFor();
  const [lat, lon] = (await page.getByLabel("Koordinaten").inputValue()).split(", ").map(Number);
  assert.ok(Math.abs(lat - 50.949) < 0.01 && Math.abs(lon - 6.915) < 0.015, `${lat}, ${lon} is not in Ehrenfeld`);
  const next = () => page.locator("main button[type=submit]").tap();
  await next();
  await page.locator("h2").filter({ hasText: "Welcher Bausatz" }).waitFor();
  await next();
  await page.locator("[name=name]").fill("Venloer Straße");
  await next();
  await page.locator("#consent").tap();
  await next();
  await page.locator(".waiting").waitFor();
  const [id, token] = await page.locator(".secret").allInnerTexts();
  assert.equal(publish(id, token, '{"pm2_5":8.4,"pm10":12}').status, 0);
  await page.locator(".first").filter({ hasText: "Feinstaub PM2,5 8,4 µg/m³" }).waitFor();
  await page.goto(`${url}/stations/${id}`);
  await page.locator("main").filter({ hasText: "Ehrenfeld" }).waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test("a refused message is explained on the station's page", async () => {
  const s = await made("Erklärt");
  publish(s.id, s.token, '{"colour":"blue"}');
  const { page, complaints, close } = await open(`/stations/${s.id}`);
  const heard = /Zuletzt gehört: \d\d:\d\d:\d\d über MQTT, nichts Brauchbares: unbekannte Namen "colour"/;
  await page.locator("[role=status]").filter({ hasText: heard }).waitFor();
  publish(s.id, s.token, '{"pm2_5":12,"colour":"blue"}');
  publish(s.id, s.token, `{"t":${Math.floor(Date.now() / 1000) - 60},"pm2_5":1999.9}`);
  await page.locator(".refusals").filter({ hasText: "Ein Name in der Nachricht ist keine der Messgrößen. (colour)" }).waitFor();
  await page.locator(".refusals").filter({ hasText: "Die Zahl bedeutet, dass der Sensor keinen Wert hatte." }).waitFor();
  assert.equal(await page.locator(".manage").count(), 0);
  assert.doesNotMatch(await page.content(), /owner@example\.org|6\.97\d|50\.93\b/);
  assert.deepEqual(complaints, []);
  await close();
});

test("an owner pauses, renames, moves, replaces, rotates, hands over and deletes", async () => {
  const s = await made("Verwaltet");
  publish(s.id, s.token, '{"pm2_5":12}');
  const { page, complaints, close } = await manage(s);
  await page.getByRole("button", { name: "Pause machen" }).click();
  await said(page, "macht jetzt Pause");
  publish(s.id, s.token, '{"pm2_5":13}');
  await page.locator(".refusals").filter({ hasText: "Die Station ist nicht aktiv." }).waitFor();
  await page.getByRole("button", { name: "Weiter messen" }).click();
  await said(page, "misst wieder");

  let form = await unfold(page, "Name, Höhe");
  await form.getByLabel("Name", { exact: true }).fill("Umbenannt");
  await form.getByLabel("Höhe").fill("tief");
  await form.getByRole("button", { name: "Speichern" }).click();
  await form.getByRole("alert").filter({ hasText: "Höhe in Metern" }).waitFor();
  await form.getByLabel("Höhe").fill("7");
  await form.getByRole("button", { name: "Speichern" }).click();
  await said(page, "Gespeichert");
  await page.locator("h1").filter({ hasText: "Umbenannt" }).waitFor();

  form = await unfold(page, "Umziehen");
  await form.getByLabel("Koordinaten").fill("50.95, 6.99");
  await form.getByLabel("Koordinaten").press("Tab");
  await form.locator(".said.fine").waitFor();
  await form.getByRole("button", { name: "Umzug eintragen" }).click();
  await said(page, "Umzug ist eingetragen");
  await page.locator("table").filter({ hasText: "Orte" }).locator("tbody tr").nth(1).waitFor();

  form = await unfold(page, "Sensor tauschen");
  await form.getByLabel("SDS011").uncheck();
  await form.getByLabel("SPS30").check();
  await form.getByRole("button", { name: "Tausch eintragen" }).click();
  await said(page, "Tausch ist eingetragen");
  const history = page.locator("table").filter({ has: page.locator("caption", { hasText: "Sensoren" }) });
  await history.locator("tbody tr").nth(1).waitFor();
  assert.match(await history.locator("tbody tr").first().innerText(), /BME280, SPS30/);
  assert.match(await history.locator("tbody tr").nth(1).innerText(), /SDS011, BME280/);

  form = await unfold(page, "Neues Token");
  await form.getByRole("button", { name: "Neues Token erzeugen" }).click();
  const token = await form.locator(".secret").nth(1).innerText();
  assert.notEqual(publish(s.id, s.token, '{"pm2_5":14}').status, 0, "the old token still serves");
  assert.equal(publish(s.id, token, '{"pm2_5":14}').status, 0);

  form = await unfold(page, "Übergeben");
  await form.getByRole("button", { name: "Neuen Link erzeugen" }).click();
  const link = await form.locator(".secret").innerText();
  const old = await manage(s);
  await old.page.locator(".trouble").filter({ hasText: "Dieser Verwaltungslink gilt nicht." }).waitFor();
  await old.close();
  await page.goto("about:blank");
  await page.goto(link);
  await page.getByRole("button", { name: "Pause machen" }).waitFor();
  const seen = await fetch(`${url}/api/v1/stations/${s.id}/manage`, {
    headers: { Authorization: `Bearer ${new URL(link).hash.split("=")[1]}` },
  });
  assert.equal((await seen.json()).email, "", "the e-mail address went over");
  const changes = await page
    .locator("table")
    .filter({ has: page.locator("caption", { hasText: "Änderungen" }) })
    .locator("tbody tr")
    .allInnerTexts();
  for (const told of [
    /Ort\s+100-m-Quadrat N \d+, E \d+\s+100-m-Quadrat N \d+, E \d+, seit \d\d:\d\d/,
    /Sensoren\s+SDS011, BME280\s+BME280, SPS30, seit/,
    /Höhe\s+4 m\s+7 m/,
    /Zustand\s+in Betrieb\s+pausiert/,
  ]) {
    assert.ok(
      changes.some((row) => told.test(row)),
      `${told} in ${changes.join("\n")}`,
    );
  }

  form = await unfold(page, "Station löschen");
  await form.getByLabel("werden auch gelöscht").check();
  await form.getByRole("button", { name: "Endgültig löschen" }).click();
  await form.getByRole("alert").filter({ hasText: "Kennung stimmt nicht" }).waitFor();
  await form.getByLabel("Zur Sicherheit").fill(s.id.toLowerCase());
  await form.getByRole("button", { name: "Endgültig löschen" }).click();
  await page.locator("h1").filter({ hasText: "Die Station ist gelöscht" }).waitFor();
  for (let tries = 0; ; tries++) {
    const gone = await fetch(`${url}/api/v1/stations/${s.id}/health`);
    const rows = (await (await fetch(`${url}/api/v1/readings?from=2026-01-01`)).text()).split("\n").filter((line) => line.includes(s.id));
    if (gone.status === 404 && rows.length === 0) break;
    assert.ok(tries < 200, `still there after 40 s: ${gone.status}, ${rows.length} readings`);
    await new Promise((again) => setTimeout(again, 200));
  }
  assert.deepEqual(
    complaints.filter((c) => !c.includes("401") && !c.includes("422") && !c.includes("404")),
    [],
  );
  await close();
});

test("a registration survives a lost connection, the back button and a double click", async () => {
  const { page, close } = await open("/register");
  const next = () => page.locator("main button[type=submit]").click();
  await page.locator(".place-where input").fill("50.94, 6.951");
  await next(); // waits for the server's answer to the place
  await page.locator('input[value="lorawan"]').check();
  await next();
  await page.locator("[name=name]").fill("Zurück");
  await page.goBack();
  assert.ok(await page.locator('input[value="lorawan"]').isChecked());
  await page.goForward();
  assert.equal(await page.locator("[name=name]").inputValue(), "Zurück");
  await next();
  await page.locator("#consent").check();
  await page.context().setOffline(true);
  await next();
  await page.getByRole("alert").filter({ hasText: "Der Server antwortet nicht." }).waitFor();
  await page.getByRole("button", { name: "English" }).click();
  assert.equal(await page.locator("main p.trouble").count(), 0, "German on an English page");
  await page.context().setOffline(false);
  let sent = 0;
  page.on("request", (r) => (sent += r.method() === "POST" && r.url().endsWith("/api/v1/stations") ? 1 : 0));
  await page.locator("main button[type=submit]").dblclick();
  await page.locator(".waiting").waitFor();
  assert.equal(sent, 1);
  await close();
});

test("a place from another page is filled in", async () => {
  const { page, close } = await open("/register?lon=6.99&lat=50.95");
  await page.locator(".said.fine").filter({ hasText: "CRS3035RES100m" }).waitFor();
  assert.equal(await page.getByLabel("Koordinaten").inputValue(), "50.95000, 6.99000");
  await close();
});

test("the pages of a station fit", async () => {
  const s = await made("Balkon Südstadt");
  publish(s.id, s.token, '{"pm2_5":12.3,"pm10":20.1,"temperature":14.2,"humidity":80.3,"rssi":-61,"battery":3.9}');
  publish(s.id, s.token, '{"pm2_5":"12"}');
  await fits("register", "/register", (page) => page.locator(".map-canvas").waitFor());
  const demo = (await (await fetch(`${url}/api/v1/stations`)).json()).features.find((f) => f.properties.demo && f.properties.values.pm2_5);
  await fits("station", `/stations/${demo.id}`, (page) => page.locator(".plot canvas").waitFor());
  await fits("manage", `/stations/${s.id}#manage=${s.manage_token}`, async (page) => {
    await page.locator(".manage-forms").waitFor();
    for (const title of ["Name", "Sensor tauschen", "Übergeben", "Station löschen"]) await unfold(page, title);
  });
  const none = await open("/stations/0000000");
  await none.page.locator(".trouble", { hasText: "Eine Station 0000000 gibt es nicht" }).waitFor();
  await none.close();
  await fits("missing-station", "/stations/0000000", (page) => page.locator(".station .trouble").waitFor(), /status of 404/);
});

test("who chooses a period by keyboard stays there", async () => {
  const demo = (await (await fetch(`${url}/api/v1/stations`)).json()).features.find((f) => f.properties.demo && f.properties.values.pm2_5);
  const { page, close } = await open(`/stations/${demo.id}`);
  await page.locator(".reader[aria-label*='24 Stunden']").waitFor();
  await page.locator('input[value="24h"]').focus();
  await page.keyboard.press("ArrowRight");
  await page.locator(".reader[aria-label*='7 Tage']").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.value), "7d");
  await close();
});
