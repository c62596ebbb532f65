// Data Package tools as a data librarian has them: node frictionless.mjs FOLDER checks datapackage.json, and every row of
// each table against its schema, and prints the rows by table.
import { createReadStream, readFileSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import dataPackage from 'datapackage'
import tableSchema from 'tableschema'

const folder = process.argv[2]
const descriptor = JSON.parse(readFileSync(`${folder}/datapackage.json`, 'utf8'))
const { valid, errors } = await dataPackage.validate(descriptor)
if (!valid) throw new Error(`datapackage.json: ${errors}`)
const rows = {}
for (const { name, path, format, schema } of descriptor.resources) {
  if (format !== 'csv') continue
  const table = await tableSchema.Table.load(createReadStream(`${folder}/${path}`).pipe(createGunzip()), { schema, strict: true })
  rows[name] = 0
  const lines = await table.iter({ forceCast: true })
  for (let row = await lines.next(); !row.done; row = await lines.next()) {
    if (row.value instanceof Error) throw new Error(`${path}: ${row.value.multiple ? row.value.errors : row.value}`)
    rows[name]++
  }
}
console.log(JSON.stringify(rows))
