// How long the map's values take, and how smooth the map stays, in Chromium without a graphics card. Run it against a server
// that has values: STORY_URL=http://127.0.0.1:8080 npm run bench. It prints medians; the empty map beside the full one tells what
// the machine can do at all. With BENCH_BEFORE, the address of an earlier build, both are measured by turns. Time of processors is told
// as well, because other programs on the machine change it least. BENCH=first,table,frames chooses some of it.
import { createServer, request } from "node:http";
import { gzipSync } from "node:zlib";
import { launch } from "./chromium.mjs";

const builds = Object.entries({ before: process.env.BENCH_BEFORE, after: process.env.STORY_URL ?? "http://127.0.0.1:8080" }).filter(
  ([, url]) => url,
);
const parts = (process.env.BENCH ?? "first,table,frames").split(",");
const loads = Number(process.env.BENCH_LOADS ?? 9);
const seconds = Number(process.env.BENCH_SECONDS ?? 6);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const browser = await launch();
const system = await browser.newBrowserCDPSession();

const sorted = (list) => [...list].sort((a, b) => a - b);
const quantile = (list, share) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? NaN;
const median = (list) => quantile(list, 0.5);
const ms = (n) => `${n.toFixed(0)} ms`.padStart(8);

// navigation is one visit with an empty cache: when the first value stands there and when the map shows values, since the
// navigation began, and how long the server took to answer.
async function navigation(origin) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "de-DE" });
  const page = await context.newPage();
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector(".figure .value")) return;
      performance.mark("figure");
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(`${origin}/`);
  await page.waitForFunction(() => performance.getEntriesByName("values").length > 0, undefined, { timeout: 60_000 });
  const seen = await page.evaluate(() => {
    const took = (part) => {
      const entry = performance.getEntriesByType("resource").find((e) => e.name.includes(part));
      return entry ? entry.responseEnd - entry.requestStart : NaN;
    };
    const mark = (name) => performance.getEntriesByName(name)[0]?.startTime ?? NaN;
    return {
      byte: performance.getEntriesByType("navigation")[0]?.responseStart ?? NaN,
      figure: mark("figure"),
      values: mark("values"),
      city: took("/api/v1/city?"),
      grid: took("/api/v1/grid"),
      stations: took("/api/v1/stations"),
    };
  });
  await context.close();
  return seen;
}

// visits prints the medians of navigations to each origin, by turns.
async function visits(what, origins) {
  const seen = origins.map(() => []);
  for (let i = 0; i < loads; i++) for (const [n, origin] of origins.entries()) seen[n].push(await navigation(origin));
  for (const [n, list] of seen.entries()) {
    const column = (name) => ms(median(list.map((s) => s[name])));
    console.log(
      `${builds[n][0]}, ${what}: first byte ${column("byte")}, first value ${column("figure")}, values on the map ${column("values")}; answers: city ${column("city")}, grid ${column("grid")}, stations ${column("stations")} (medians of ${loads})`,
    );
  }
}

const side = 1 / 160; // degrees, about 500 m
const [west, south] = [6.8, 50.85];

const cells = (n) =>
  Array.from({ length: n }, (_, i) => {
    const [x, y] = [west + (i % 32) * side * 1.58, south + Math.floor(i / 32) * side];
    const [right, top] = [x + side * 1.58, y + side];
    const mean = (i * 7) % 160;
    const properties = {
      cell: `CRS3035RES500mN${3000000 + i * 500}E4100000`,
      window_start: "2026-11-24T10:00:00Z",
      window_seconds: 3600,
      quantity: "pm2_5",
      unit: "µg/m³",
      mean,
      median: mean,
      min: mean,
      max: mean,
      stations: 1 + (i % 12),
      readings: 240,
      coverage: 1,
      eaqi: 2,
      revision: 0,
      raw_mean: mean,
      uncorrected: 0,
      spread: 1,
      certainty: "good",
      lqi: 2,
    };
    return {
      type: "Feature",
      properties,
      geometry: {
        type: "Polygon",
        coordinates: [
          [
            [x, y],
            [right, y],
            [right, top],
            [x, top],
            [x, y],
          ],
        ],
      },
    };
  });

const states = ["ok", "ok", "ok", "ok", "silent", "check", "new"];
const measured = (i) =>
  Object.fromEntries(
    ["pm2_5", "pm10", "temperature", "humidity", "pressure"].map((q) => [
      q,
      { value: i % 60, unit: "µg/m³", time: "2026-11-24T10:00:00Z", flags: [] },
    ]),
  );
const stations = (n) =>
  Array.from({ length: n }, (_, i) => ({
    type: "Feature",
    id: `S${String(i).padStart(6, "0")}`,
    geometry: { type: "Point", coordinates: [west + ((i * 0.618034) % 1) * side * 1.58 * 32, south + ((i * 0.754878) % 1) * side * 32] },
    properties: {
      name: `Station ${i}`,
      kit: "sds011-bme280",
      exposure: "outdoor",
      state: states[i % states.length],
      demo: true,
      last_seen: "2026-11-24T10:00:00Z",
      values: measured(i),
      means: measured(i),
      index: {},
    },
  }));

// chosen are stations with the properties and the values that a query names.
function chosen(all, query) {
  const [fields, quantities] = ["fields", "quantity"].map((name) => query.get(name)?.split(","));
  const some = (object, names) => (names ? Object.fromEntries(names.map((name) => [name, object[name]])) : object);
  return all.map((f) => ({ ...f, properties: some({ ...f.properties, values: some(f.properties.values, quantities) }, fields) }));
}

// city stands before a server with so many stations and cells of its own, whose readings come every 145 s as of the
// airRohr firmware, with a changed grid every 5 s.
async function city(url, n, m) {
  const collection = (features) => gzipSync(JSON.stringify({ type: "FeatureCollection", features }));
  const all = stations(n);
  const made = { "/api/v1/grid": collection(cells(m)) };
  const front = createServer((asked, answer) => {
    const { pathname: path, search, searchParams } = new URL(asked.url, url);
    if (path === "/api/v1/stations") made[path + search] ??= collection(chosen(all, searchParams));
    const body = made[path + search] ?? made[path];
    if (body) return answer.setHeader("Content-Type", "application/geo+json").setHeader("Content-Encoding", "gzip").end(body);
    if (path === "/api/v1/stream") return stream(answer, n);
    asked.pipe(
      request(url + asked.url, { method: asked.method, headers: asked.headers }, (got) =>
        got.pipe(answer.writeHead(got.statusCode, got.headers)),
      ),
    );
  });
  await new Promise((done) => front.listen(0, "127.0.0.1", done));
  const close = () => {
    front.close();
    front.closeAllConnections();
  };
  return { origin: `http://127.0.0.1:${front.address().port}`, close };
}

function stream(answer, n) {
  answer.writeHead(200, { "Content-Type": "text/event-stream" });
  let sent = 0;
  const tell = (event, data) => answer.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const timers = [setInterval(() => tell("grid", {}), 5000)];
  if (n > 0)
    timers.push(
      setInterval(
        () =>
          tell("reading", { station: `S${String(sent++ % n).padStart(6, "0")}`, time: new Date().toISOString(), values: measured(sent) }),
        (145 / n) * 1000,
      ),
    );
  answer.on("close", () => timers.forEach(clearInterval));
}

// processors returns the seconds that the page's process and the one that paints have computed so far.
async function processors() {
  const { processInfo } = await system.send("SystemInfo.getProcessInfo");
  const of = (kind) => processInfo.reduce((sum, p) => sum + (p.type === kind ? p.cpuTime : 0), 0);
  return { page: of("renderer"), painting: of("GPU") };
}

// frames are the intervals between frames while the map is dragged, and zoomed as well where it is said, and the time of processors
// for each.
async function frames(origin, zooming) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "de-DE" });
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  await page.waitForFunction(() => performance.getEntriesByName("values").length > 0, undefined, { timeout: 60_000 });
  await page.waitForTimeout(3000); // stations are there, shaders are compiled
  const box = await page.locator(".map").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const before = await processors();
  const counted = page.evaluate(
    (time) =>
      new Promise((done) => {
        const list = [];
        let last = performance.now();
        const end = last + time;
        const frame = () => {
          const now = performance.now();
          list.push(now - last);
          last = now;
          if (now < end) requestAnimationFrame(frame);
          else done(list);
        };
        requestAnimationFrame(frame);
      }),
    seconds * 1000,
  );
  let over = false;
  void counted.then(() => (over = true));
  await page.mouse.move(x, y);
  for (let i = 0; !over; i++) {
    await page.mouse.down();
    for (let step = 0; step < 24 && !over; step++)
      await page.mouse.move(x + 180 * Math.sin((step * Math.PI) / 12), y + 120 * Math.sin((step * Math.PI) / 6));
    await page.mouse.up();
    for (let turn = 0; turn < 4 && zooming && !over; turn++) await page.mouse.wheel(0, i % 2 ? 300 : -300);
  }
  const list = await counted;
  const after = await processors();
  await context.close();
  const each = (kind) => ((after[kind] - before[kind]) * 1000) / list.length;
  return { list, page: each("page"), painting: each("painting") };
}

// busy is for how much of the time the page answers nobody, because a task takes more than 50 ms, while the table is open.
async function busy(origin) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "de-DE" });
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  await page.waitForFunction(() => performance.getEntriesByName("values").length > 0, undefined, { timeout: 60_000 });
  await page.locator("#table summary").click();
  await page.locator("#table tbody button").nth(10_500).waitFor({ state: "attached", timeout: 120_000 });
  const tasks = await page.evaluate(
    (time) =>
      new Promise((done) => {
        const list = [];
        new PerformanceObserver((seen) => list.push(...seen.getEntries().map((e) => e.duration))).observe({ type: "longtask" });
        setTimeout(() => done(list), time);
      }),
    20_000,
  );
  await context.close();
  return tasks;
}

// smoothness prints what a round has measured of each build.
async function smoothness(what, n, m, zooming = false) {
  for (const [build, url] of builds) {
    const { origin, close } = await city(url, n, m);
    const { list, page, painting } = await frames(origin, zooming);
    const good = (100 * list.filter((t) => t <= 33.4).length) / list.length;
    console.log(
      `${what}, ${build}: ${(list.length / seconds).toFixed(1)} frames/s, median ${ms(median(list))}, 95 % within ${ms(quantile(list, 0.95))}, worst ${ms(Math.max(...list))}, ${good.toFixed(0)} % within 33 ms; for each frame ${page.toFixed(1)} ms of a processor in the page, ${painting.toFixed(1)} ms painting`,
    );
    close();
  }
}

const full = await Promise.all(builds.map(([, url]) => city(url, 10_000, 1000)));
const origins = full.map((c) => c.origin);
if (parts.includes("first")) {
  await visits(
    "this server",
    builds.map(([, url]) => url),
  );
  await visits("10,000 stations, 1,000 cells", origins);
}
for (const [n, origin] of parts.includes("table") ? origins.entries() : []) {
  const tasks = await busy(origin);
  console.log(
    `${builds[n][0]}, table of 10,000 stations open for 20 s: ${tasks.length} tasks above 50 ms, ${ms(tasks.reduce((a, b) => a + b, 0))} in all, longest ${ms(Math.max(0, ...tasks))}`,
  );
}
for (const { close } of full) close();
for (let round = 1; parts.includes("frames") && round <= rounds; round++) {
  await smoothness(`round ${round}, empty map, dragged`, 0, 0);
  await smoothness(`round ${round}, 10,000 stations and 1,000 cells, dragged`, 10_000, 1000);
  await smoothness(`round ${round}, the same, dragged and zoomed`, 10_000, 1000, true);
}
await browser.close();
