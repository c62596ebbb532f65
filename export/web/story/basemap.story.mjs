// The basemap's story: servers of its own, with a style at another origin and with tiles of their own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PMTiles } from "pmtiles";
import { archive } from "./archive.mjs";
import { open } from "./browser.mjs";

const program = process.env.STORY_PROGRAM ?? fileURLToPath(new URL("../../../bin/stadtluft", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "stadtluft-basemap-"));
const running = [];
after(async () => {
  await Promise.all(running.map((end) => end()));
  rmSync(folder, { recursive: true, force: true });
});

function listening(server) {
  running.push(() => server.close() && server.closeAllConnections());
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
}

async function free() {
  const server = createServer();
  const port = await listening(server);
  await new Promise((done) => server.close(done));
  return port;
}

// serve starts a program with a simulated city and waits until it is ready.
async function serve(name, env) {
  const [http, mqtt] = [await free(), await free()];
  const origin = `http://127.0.0.1:${http}`;
  const child = spawn(program, ["serve", "--demo", "5", "--data", join(folder, name)], {
    env: { ...process.env, STADTLUFT_HTTP_LISTEN: `127.0.0.1:${http}`, STADTLUFT_MQTT_LISTEN: `127.0.0.1:${mqtt}`, ...env },
    stdio: "ignore",
  });
  running.push(() => child.exitCode ?? child.signalCode ?? new Promise((done) => child.once("exit", done).kill()));
  for (let tries = 0; ; tries++) {
    assert.equal(child.exitCode, null, `${program} ended with ${child.exitCode}`);
    if (
      await fetch(`${origin}/readyz`).then(
        (r) => r.ok,
        () => false,
      )
    )
      return origin;
    assert.ok(tries < 600, "it was not ready within two minutes");
    await new Promise((again) => setTimeout(again, 200));
  }
}

// colour is a pixel of the map, so many parts of its width and height from its corner, as the browser has drawn it.
async function colour(page, right, down) {
  const box = await page.locator(".map").boundingBox();
  const png = await page.screenshot({ clip: { x: box.x + box.width * right, y: box.y + box.height * down, width: 1, height: 1 } });
  return page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.getContext("2d").drawImage(image, 0, 0);
    const [r, g, b] = canvas.getContext("2d").getImageData(0, 0, 1, 1).data;
    return `#${[r, g, b].map((n) => n.toString(16).padStart(2, "0")).join("")}`;
  }, png.toString("base64"));
}

// becomes waits until the map has a colour at a place.
async function becomes(page, right, down, want) {
  for (let tries = 0; ; tries++) {
    const got = await colour(page, right, down);
    if (got === want) return;
    assert.ok(tries < 300, `the map is ${got} at ${right}, ${down}, not ${want}`);
    await new Promise((again) => setTimeout(again, 100));
  }
}

const west = [0.02, 0.5];
const east = [0.9, 0.5];

test("a style of another origin lies under the map, and no other origin is asked", async () => {
  let style = "";
  const asked = [];
  const host = (what) =>
    createServer((request, answer) => {
      asked.push(`${what} ${request.url}`);
      answer.setHeader("Access-Control-Allow-Origin", "*");
      answer.writeHead(request.url !== "/style.json" ? 404 : style ? 200 : 503).end(style);
    });
  const [second, third] = [host("second"), host("third")];
  const [at, elsewhere] = [await listening(second), await listening(third)];
  const origin = await serve("style", { STADTLUFT_MAP_STYLE: `http://127.0.0.1:${at}/style.json` });
  style = JSON.stringify({
    version: 8,
    sources: {
      west: {
        type: "geojson",
        attribution: "© Tester",
        data: {
          type: "Polygon",
          coordinates: [
            [
              [0, 40],
              [6.9, 40],
              [6.9, 60],
              [0, 60],
              [0, 40],
            ],
          ],
        },
      },
      here: { type: "vector", tiles: [`http://127.0.0.1:${at}/{z}/{x}/{y}.mvt`] },
      elsewhere: { type: "vector", tiles: [`http://127.0.0.1:${elsewhere}/{z}/{x}/{y}.mvt`] },
    },
    layers: [
      { id: "land", type: "background", paint: { "background-color": "#204060" } },
      { id: "stations", type: "fill", source: "west", paint: { "fill-color": "#a06020", "fill-antialias": false } }, // named as one of ours
      { id: "water", type: "fill", source: "here", "source-layer": "water", paint: { "fill-color": "#0000ff" } },
      { id: "nowhere", type: "fill", source: "elsewhere", "source-layer": "water", paint: { "fill-color": "#ff0000" } },
    ],
  });
  const { page, complaints, close } = await open("/", { origin });
  await becomes(page, ...east, "#204060");
  await becomes(page, ...west, "#a06020");
  await page.locator(".maplibregl-ctrl-attrib").filter({ hasText: "© Tester" }).waitFor();
  await page.locator(".map-note").filter({ hasText: "Hintergrundkarte lässt sich nicht laden" }).waitFor(); // what is elsewhere
  assert.ok(
    complaints.some((c) => c.includes(`Failed to fetch (0): http://127.0.0.1:${elsewhere}/`)),
    complaints.join("\n"),
  );
  assert.ok(
    asked.some((a) => /^second .*\.mvt$/.test(a)),
    asked.join("\n"),
  );
  assert.deepEqual(
    asked.filter((a) => a.startsWith("third")),
    [],
  );
  await close();

  style = "";
  const without = await open("/?lang=en", { origin });
  await without.page.locator(".map-note").filter({ hasText: "background map cannot be loaded" }).waitFor();
  await becomes(without.page, ...east, "#eef1ee"); // our own land
  assert.equal(await without.page.locator(".maplibregl-ctrl-attrib").count(), 0);
  await without.close();

  const data = await open("/data", { origin });
  assert.equal(
    await data.page.evaluate(
      (a) =>
        fetch(a).then(
          () => "answered",
          () => "refused",
        ),
      `http://127.0.0.1:${at}/style.json`,
    ),
    "refused",
  );
  await data.close();
});

test("tiles of this server lie under the map, by day and by night", async () => {
  const file = join(folder, "world.pmtiles");
  writeFileSync(file, archive(6.95, '<a href="https://example.org/">© Tester</a>'));
  const origin = await serve("tiles", { STADTLUFT_MAP_TILES: file });
  const world = new PMTiles(`${origin}/basemap.pmtiles`); // as its makers read it
  assert.equal((await world.getHeader()).tileType, 1);
  assert.equal((await world.getMetadata()).name, "world");
  assert.ok((await world.getZxy(0, 0, 0)).data.byteLength > 50);

  const { page, complaints, close } = await open("/", { origin });
  await becomes(page, ...west, "#c3d9e6");
  await becomes(page, ...east, "#f1f2ee");
  await page.emulateMedia({ colorScheme: "dark" });
  await becomes(page, ...west, "#16303b");
  await becomes(page, ...east, "#222b2a");
  await page.locator(".maplibregl-ctrl-attrib a").filter({ hasText: "© Tester" }).waitFor();
  assert.deepEqual(complaints, []);
  await close();

  const { page: register, close: leave } = await open("/register", { origin });
  await register.locator(".maplibregl-ctrl-attrib a").filter({ hasText: "© Tester" }).waitFor();
  await leave();
});
