// Reads a collection of an OGC API Features service page by page: ogc.mjs ADDRESS COLLECTION. It prints how many features there are, or
// fails when the service or the collection is none, a feature has no geometry, or one comes twice.
import { OgcApiEndpoint } from "@camptocamp/ogc-client";
import assert from "node:assert/strict";

const [address, collection] = process.argv.slice(2);
const service = new OgcApiEndpoint(address);
assert.equal(await service.hasFeatures, true);
assert.ok((await service.featureCollections).includes(collection));
const about = await service.getCollectionInfo(collection);
assert.ok(about.itemFormats.includes("application/geo+json"), "no GeoJSON");

const most = 5;
const seen = new Set();
for (let offset = 0; ; offset += most) {
  const page = await service.getCollectionItems(collection, most, offset);
  for (const feature of page) {
    assert.ok(feature.geometry, `${feature.id} has no geometry`);
    assert.ok(!seen.has(feature.id), `${feature.id} comes twice`);
    seen.add(feature.id);
  }
  if (page.length < most) break;
}
console.log(`${collection}: ${seen.size} features`);
