// A strict reader of the API's description: node schemas.mjs OPENAPI CASES holds answers against the schemas of their
// routes. CASES is a JSON list of {path, method, status, type, file}; the status "default" is a problem. A member that a schema does not name is a mistake
// here, though not of a client, which must expect new ones.
import { readFileSync } from 'node:fs'
import Ajv from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

const close = (s) => {
  if (s === null || typeof s !== 'object') return
  if (s.type && s.properties && s.additionalProperties === undefined) s.additionalProperties = false
  Object.values(s).forEach(close)
}

const document = JSON.parse(readFileSync(process.argv[2], 'utf8'))
close(document.components.schemas)
close(document.paths)
const ajv = formats(new Ajv({ strict: false, allErrors: true, validateSchema: true }))
ajv.addSchema({ $id: 'api', ...document }, 'api', false, false)
let wrong = 0
for (const { path, method, status, type, file } of JSON.parse(readFileSync(process.argv[3], 'utf8'))) {
  const problem = status === 'default' && ['components', 'responses', 'Problem', 'content', type, 'schema']
  const pointer = problem || ['paths', path, method, 'responses', status, 'content', type, 'schema']
  const at = pointer.map((p) => encodeURIComponent(p.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
  const validate = ajv.compile({ $ref: `api#/${at}` })
  if (validate(JSON.parse(readFileSync(file, 'utf8')))) continue
  wrong++
  console.error(`${method} ${path} as ${type}:`, ajv.errorsText(validate.errors.slice(0, 5)))
}
process.exit(wrong ? 1 : 0)
