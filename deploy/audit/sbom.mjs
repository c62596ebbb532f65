// Writes a bill of materials (CycloneDX 1.6) of a binary and the packages in its pages, and checks the licence of each dependency.
// Usage: node sbom.mjs BINARY PACKAGE-LOCK.json OUT.cdx.json
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [binary, lockFile, out] = process.argv.slice(2);

// Licences under which others' code may be part of ours: their terms are kept by naming them.
const allowed = new Set(["0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "Python-2.0", "Unlicense", "Zlib"]);
// Of tools alone, which are no part of the program.
const allowedInTools = new Set([...allowed, "CC-BY-4.0", "LGPL-3.0-or-later"]);

// told are licences that a package names only in its text.
const told = { "@mapbox/jsonlint-lines-primitives": "MIT" }; // as jsonlint, of which it is a fork

// signs are sentences of licences' texts, the more special first.
const signs = [
  ["Apache-2.0", /Apache License\s+Version 2\.0/],
  ["MPL-2.0", /Mozilla Public License,? (Version|v\.) ?2\.0/i],
  ["GPL", /GNU (AFFERO |LESSER )?GENERAL PUBLIC LICENSE/],
  ["EPL-2.0", /Eclipse Public License - v 2\.0/],
  ["BSD-3-Clause", /Redistribution and use in source and binary forms[\s\S]*(Neither the name|The names? of)/],
  ["BSD-2-Clause", /Redistribution and use in source and binary forms/],
  ["ISC", /Permission to use, copy, modify, and(\/or)? distribute this software/],
  ["MIT", /Permission is hereby granted, free of charge/],
  ["CC0-1.0", /CC0 1\.0 Universal/],
  ["Unlicense", /This is free and unencumbered software/],
];

// licenceOf returns the licence of the texts in a module's folder; empty when none is known.
function licenceOf(folder) {
  const names = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).filter((e) => e.isFile() && /^(licen[cs]e|copying|unlicense)/i.test(e.name)).map((e) => e.name) : [];
  const texts = names.map((name) => readFileSync(join(folder, name), "utf8"));
  // Of two texts the one that is allowed counts: paho may be taken under either of its licences.
  const found = texts.flatMap((text) => signs.filter(([, sign]) => sign.test(text)).map(([id]) => id));
  if (found.includes("EPL-2.0") && /Eclipse Distribution License/.test(texts.join())) return "BSD-3-Clause";
  return found[0] ?? "";
}

// modules returns the Go modules in the binary, as it says itself.
function modules() {
  const list = execFileSync("go", ["version", "-m", binary], { encoding: "utf8" }).split("\n").map((line) => line.trim().split("\t"));
  const go = list[0][0].split(": ").at(-1);
  const found = [{ name: "std", version: go.replace("go", ""), purl: `pkg:golang/std@${go.replace("go", "")}`, licence: "BSD-3-Clause", part: true }];
  for (const [kind, name, version, sum] of list) {
    if (kind !== "dep") continue;
    const { Dir } = JSON.parse(execFileSync("go", ["mod", "download", "-json", `${name}@${version}`], { encoding: "utf8" }));
    found.push({ name, version, purl: `pkg:golang/${name}@${version}`, sum, licence: licenceOf(Dir), part: true });
  }
  return found;
}

// packages returns the npm packages of the pages: those that become part of them, and the tools that build and test them.
function packages() {
  const found = [];
  for (const [path, p] of Object.entries(JSON.parse(readFileSync(lockFile, "utf8")).packages)) {
    const name = path.split("node_modules/").at(-1);
    if (!path.includes("node_modules/") || p.link) continue;
    found.push({ name, version: p.version, purl: `pkg:npm/${name.replace("@", "%40")}@${p.version}`, sum: p.integrity, licence: p.license ?? told[name] ?? "", part: !p.dev && !p.devOptional });
  }
  return found;
}

// fits reports whether a licence expression can be kept: of alternatives one, of parts all.
function fits(licence, set) {
  const bare = licence.replace(/^\((.*)\)$/, "$1");
  if (bare.includes(" OR ")) return bare.split(" OR ").some((part) => fits(part, set));
  if (bare.includes(" AND ")) return bare.split(" AND ").every((part) => fits(part, set));
  return set.has(bare);
}

const all = [...modules(), ...packages()];
const wrong = all.filter((d) => !fits(d.licence, d.part ? allowed : allowedInTools));
const byLicence = {};
for (const d of all) byLicence[d.licence] = (byLicence[d.licence] ?? 0) + 1;
console.log(`licences of ${all.length} dependencies: ${Object.entries(byLicence).sort().map(([name, n]) => `${name || "none"} ${n}`).join(", ")}`);
for (const d of wrong) console.log(`  ${d.name} ${d.version} has the licence ${JSON.stringify(d.licence)}: look at it, and add it to deploy/audit/sbom.mjs or do without`);

const parts = all.filter((d) => d.part).sort((a, b) => (a.purl < b.purl ? -1 : 1));
const document = {
  bomFormat: "CycloneDX", specVersion: "1.6", version: 1,
  metadata: { component: { type: "application", "bom-ref": "stadtluft", name: "stadtluft", licenses: [{ license: { id: "MIT" } }] } },
  components: parts.map((d) => ({
    type: "library", "bom-ref": d.purl, name: d.name, version: d.version, purl: d.purl,
    licenses: [/ (OR|AND) /.test(d.licence) ? { expression: d.licence } : { license: { id: d.licence } }],
    properties: d.sum ? [{ name: "stadtluft:checksum", value: d.sum }] : [],
  })),
  dependencies: [{ ref: "stadtluft", dependsOn: parts.map((d) => d.purl) }],
};
writeFileSync(out, `${JSON.stringify(document, null, 1)}\n`);
console.log(`${out}: ${parts.length} components`);
process.exit(wrong.length ? 1 : 0);
