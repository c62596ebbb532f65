// Every line of code that /data offers is run as it stands there, against the server, with the tools that people have.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { open } from "./browser.mjs";

const python = process.env.PYTHON ?? "/usr/bin/python3"; // Debian's, which has GeoPandas
const duckdb = fileURLToPath(new URL("../../clients/duckdb.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "snippets-"));
after(() => rmSync(folder, { recursive: true }));

// offered are the snippets by tool, each with what it is of, such as grid.csv.
const offered = {};

test("every format of everything has lines of code", async () => {
  const { page, close } = await open("/data");
  const options = (list) => page.locator(`${list} option`).evaluateAll((all) => all.map((o) => o.value));
  for (const what of await options("#what")) {
    await page.locator("#what").selectOption(what);
    for (const format of await options("#format")) {
      await page.locator("#format").selectOption(format);
      const snippets = await page
        .locator(".result details")
        .evaluateAll((all) => all.map((d) => [d.querySelector("summary").textContent, d.querySelector("pre code").textContent]));
      for (const [tool, code] of snippets) (offered[tool] ??= []).push({ of: `${what}.${format}`, code });
    }
  }
  await close();
  assert.deepEqual(Object.keys(offered).sort(), ["DuckDB", "JavaScript", "Python (GeoPandas)", "Python (pandas)", "R", "curl"]);
  assert.deepEqual(
    offered.curl.map((s) => s.of).filter((of) => of.startsWith("readings")),
    ["readings.csv", "readings.parquet", "readings.geojson", "readings.json"],
  );
});

// run runs a program in the folder and gives back what it printed.
function run(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, encoding: "utf8", timeout: 300_000 });
  assert.equal(status, 0, `${command} ${args}: ${error ?? stderr}`);
  return stdout;
}

// together runs snippets as one script.
function together(snippets, name, ...command) {
  writeFileSync(join(folder, name), snippets.map((s) => s.code).join("\n\n"));
  return run(...command, name);
}

// ofTables are those that Debian can run: it has neither Python's nor R's Arrow, which read Parquet; DuckDB does.
const ofTables = (tool) => offered[tool].filter((s) => s.of.endsWith(".csv"));

const begins = {
  csv: (bytes) => assert.match(bytes.toString(), /^(area|cell|time|window_start),.*\n.*pm2_5/),
  parquet: (bytes) => assert.equal(bytes.subarray(0, 4).toString(), "PAR1"),
  geojson: (bytes) => assert.notEqual(JSON.parse(bytes).features.length, 0),
  json: (bytes) => assert.notEqual(JSON.parse(bytes).rows.length, 0),
};

test("curl", () => {
  together(offered.curl, "all.sh", "bash", "-e");
  for (const { of } of offered.curl) begins[of.split(".")[1]](readFileSync(join(folder, of)));
});

test("DuckDB", () => {
  for (const { of, code } of offered.DuckDB) {
    const rows = JSON.parse(run(process.execPath, duckdb, code));
    assert.equal(rows[0]?.quantity, "pm2_5", of);
  }
});

test("JavaScript", () => {
  const blocks = offered.JavaScript.map((s) => ({ code: `{\n${s.code}\n}` }));
  const counts = [...together(blocks, "all.mjs", process.execPath).matchAll(/^([1-9]\d*) \{$/gm)].map((m) => Number(m[1]));
  assert.equal(counts.length, blocks.length);
  const at = (of) => counts[offered.JavaScript.findIndex((s) => s.of === of)];
  assert.ok(at("readings.json") >= at("readings.geojson") && at("readings.json") > 1000, `${counts}: more than one page of JSON`);
});

test("pandas", () => {
  const tables = ofTables("Python (pandas)");
  assert.equal(together(tables, "all.py", python).match(/^pm2_5 +[1-9]/gm)?.length, tables.length);
});

test("GeoPandas", () => {
  const maps = offered["Python (GeoPandas)"];
  assert.equal(together(maps, "all.py", python).match(/^\[5 rows x \d+ columns\]$/gm)?.length, maps.length);
});

test("R", () => {
  const tables = ofTables("R");
  assert.equal(together(tables, "all.R", "Rscript").match(/^ *pm2_5 *\n *\d/gm)?.length, tables.length);
});
