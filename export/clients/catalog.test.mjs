// Catalogues as harvesters read them: in the folder CATALOGUES each as Turtle and as JSON-LD, which say the same and keep the rules of DCAT-AP.de in
// catalog/testdata/dcat-ap-de.shapes.ttl.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import jsonld from "jsonld";
import { DataFactory, Parser, Store } from "n3";
import SHACLValidator from "rdf-validate-shacl";

const folder = process.env.CATALOGUES;
const read = (name) => readFileSync(join(folder, name), "utf8");
const parse = (text) => new Store(new Parser().parse(text));
const shapes = parse(readFileSync(new URL("../catalog/testdata/dcat-ap-de.shapes.ttl", import.meta.url), "utf8"));
const turtle = parse(read("usual.ttl"));

const term = (t) => [t.termType, t.value, t.language ?? "", t.datatype?.value ?? ""].join("\u0001");
const statements = (store) => [...store].map((q) => [q.subject, q.predicate, q.object].map(term).join("\u0002")).sort();

const violations = async (store) => {
  const report = await new SHACLValidator(shapes).validate(store);
  return report.results.map((r) => `${r.focusNode?.value} ${r.path?.value ?? ""} ${r.sourceConstraintComponent?.value}`);
};

const names = readdirSync(folder).filter((name) => name.endsWith(".ttl")).map((name) => name.slice(0, -4));
test("there are catalogues", () => assert.ok(names.length > 0));
for (const name of names) {
  test(`${name}: Turtle and JSON-LD say the same`, async () => {
    const quads = await jsonld.toRDF(JSON.parse(read(`${name}.jsonld`)), { format: "application/n-quads" });
    const store = parse(read(`${name}.ttl`));
    assert.ok(store.size > 100);
    assert.deepEqual(statements(parse(quads)), statements(store));
  });

  test(`${name} keeps the rules`, async () => {
    assert.deepEqual(await violations(parse(read(`${name}.ttl`))), []);
  });
}

const dcat = "http://www.w3.org/ns/dcat#";
const dct = "http://purl.org/dc/terms/";
const dcatde = "http://dcat-ap.de/def/dcatde/";
const { namedNode, literal, quad } = DataFactory;
const type = namedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type");

// Each rule can be broken: take something away, or add it once too often.
const without = (cls, predicate) => (store) => {
  const subject = store.getSubjects(type, namedNode(cls), null)[0];
  store.removeQuads(store.getQuads(subject, namedNode(predicate), null, null));
};
const also = (cls, predicate, object) => (store) => {
  const subject = store.getSubjects(type, namedNode(cls), null)[0];
  store.addQuad(quad(subject, namedNode(predicate), object));
};
for (const [what, spoil] of [
  ["a catalogue without publisher", without(dcat + "Catalog", dct + "publisher")],
  ["a catalogue without datasets", without(dcat + "Catalog", dcat + "dataset")],
  ["a dataset without title", without(dcat + "Dataset", dct + "title")],
  ["a dataset without contact", without(dcat + "Dataset", dcat + "contactPoint")],
  ["a dataset without contributor", without(dcat + "Dataset", dcatde + "contributorID")],
  ["a dataset with two contributors", also(dcat + "Dataset", dcatde + "contributorID", namedNode("http://dcat-ap.de/def/contributors/govdata"))],
  ["a dataset without theme", without(dcat + "Dataset", dcat + "theme")],
  ["a dataset without time", without(dcat + "Dataset", dct + "temporal")],
  ["a dataset without place", without(dcat + "Dataset", dct + "spatial")],
  ["a distribution without address", without(dcat + "Distribution", dcat + "accessURL")],
  ["a distribution without licence", without(dcat + "Distribution", dct + "license")],
  ["a distribution with another licence", also(dcat + "Distribution", dct + "license", namedNode("https://example.org/licence"))],
  ["a distribution without attribution", without(dcat + "Distribution", dcatde + "licenseAttributionByText")],
  ["a distribution without format", without(dcat + "Distribution", dct + "format")],
  ["a format that is a text", also(dcat + "Distribution", dct + "format", literal("CSV"))],
  ["a service without address", without(dcat + "DataService", dcat + "endpointURL")],
]) {
  test(`${what} breaks a rule`, async () => {
    const spoilt = new Store([...turtle]);
    spoil(spoilt);
    assert.notDeepEqual(await violations(spoilt), []);
  });
}
