"use strict";
// Runs the formatter on the vectors of the binary payload: node --test formatter.test.js
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const vm = require("node:vm");

const source = fs.readFileSync(path.join(__dirname, "formatter.js"), "utf8");

// As in The Things Stack: a bare script, no module, no require, and bytes that are no real array.
function decode(bytes, fPort = 1) {
  const context = vm.createContext({});
  vm.runInContext(source, context);
  context.input = { fPort, bytes: Object.assign({ length: bytes.length }, bytes) };
  return JSON.parse(vm.runInContext("JSON.stringify(decodeUplink(input))", context));
}

function vectors(folder) {
  const dir = path.join(__dirname, "..", "vectors", folder);
  const files = fs.readdirSync(dir);
  assert.ok(files.length >= 20, `${folder} holds ${files.length} vectors, want the whole folder`);
  return files.map((file) => [`${folder}/${file}`, JSON.parse(fs.readFileSync(path.join(dir, file), "utf8"))]);
}

// The stack leaves out members that are 0; x_zero names them.
function throughTheStack(reading) {
  const { x_zero: zeros = [], ...left } = reading;
  for (const name of Object.keys(left)) {
    if (left[name] === 0) delete left[name];
  }
  for (const name of zeros) left[name] = 0;
  return left;
}

for (const [name, vector] of [...vectors("binary-good"), ...vectors("binary-bad")]) {
  test(name, () => {
    const members = ["about", "payload_hex", "canonical", "readings", "refused"];
    assert.deepEqual(Object.keys(vector).filter((member) => !members.includes(member)), []);
    const answer = decode([...Buffer.from(vector.payload_hex.replaceAll(" ", ""), "hex")]);
    const { warnings, errors } = answer;
    const { x_stadtluft: version, ...data } = answer.data;
    assert.equal(version, errors.length > 0 ? undefined : 1);

    const readings = data.readings ?? (Object.keys(data).length > 0 ? [data] : []);
    const want = vector.readings.map(({ age, values }) => (age === undefined ? values : { age, ...values }));
    assert.deepEqual(readings.map(throughTheStack), want);

    const refused = [...errors, ...warnings].map((text) => text.slice(0, text.indexOf(": ")));
    assert.deepEqual(refused, vector.refused.map(({ reason, field }) => `${reason} ${field}`.trim()));
    const undecodable = vector.refused.some(({ reason, field }) => field === "" && reason !== "no_values");
    assert.equal(errors.length > 0, undecodable);
  });
}

test("another FPort carries no readings", () => {
  assert.deepEqual(decode([1, 4, 0, 201], 2), {
    data: {},
    warnings: ["FPort 2 carries no readings, FPort 1 does"],
    errors: [],
  });
});

test("the formatter is ECMAScript 5.1 and fits into The Things Stack", () => {
  const code = source.replace(/\/\/.*$/gm, "");
  assert.doesNotMatch(code, /=>|`|\b(let|const|class|import|export|require|async)\b|\.\.\./);
  assert.ok(source.length < 40960);
});
