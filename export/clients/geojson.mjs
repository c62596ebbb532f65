// GeoJSON as a strict reader takes it: node geojson.mjs FILE … says what is wrong with which.
import { readFileSync } from 'node:fs'
import { check, HintError } from '@placemarkio/check-geojson'

for (const file of process.argv.slice(2)) {
  try {
    check(readFileSync(file, 'utf8'))
  } catch (error) {
    const issues = error instanceof HintError ? error.issues.map((issue) => issue.message) : [String(error)]
    console.error(`${file}: ${issues.join('; ')}`)
    process.exitCode = 1
  }
}
