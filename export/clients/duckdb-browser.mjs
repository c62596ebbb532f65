// DuckDB as a page of another site has it: node duckdb-browser.mjs SQL … opens a page of an origin of its own in Chromium, asks there,
// and prints the rows of each question and what the page asked other origins for. 1.28.0 is the last version of DuckDB for
// browsers that reads Parquet without fetching an extension from its makers.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { launch } from '../web/story/chromium.mjs'

const modules = new URL('node_modules/', import.meta.url)
const imports = {
  duckdb: '/@duckdb/duckdb-wasm/dist/duckdb-browser.mjs',
  'apache-arrow': '/apache-arrow/Arrow.dom.mjs',
  flatbuffers: '/flatbuffers/mjs/flatbuffers.js',
  tslib: '/tslib/tslib.es6.js',
}
const types = { js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' }

// site hands out the page, and the modules as they are installed; some of them name others without their ending.
const site = createServer(async (request, response) => {
  const [, name, extension = 'js'] = /^\/(.*?)(?:\.(js|mjs|wasm))?$/.exec(request.url)
  if (!name) return response.setHeader('Content-Type', 'text/html').end(`<script type="importmap">${JSON.stringify({ imports })}</script>`)
  try {
    const file = await readFile(new URL(`${name}.${extension}`, modules))
    response.setHeader('Content-Type', types[extension]).end(file)
  } catch {
    response.writeHead(404).end()
  }
})
await new Promise((listening) => site.listen(0, '127.0.0.1', listening))
const origin = `http://127.0.0.1:${site.address().port}`

// ask runs in the page.
async function ask(questions) {
  const duckdb = await import('duckdb')
  const folder = '/@duckdb/duckdb-wasm/dist/duckdb-'
  const database = new duckdb.AsyncDuckDB(new duckdb.VoidLogger(), new Worker(`${folder}browser-eh.worker.js`))
  await database.instantiate(`${folder}eh.wasm`)
  const connection = await database.connect()
  const answers = []
  for (const sql of questions) answers.push((await connection.query(sql)).toArray().map((row) => row.toJSON()))
  return JSON.stringify(answers, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
}

const browser = await launch()
try {
  const page = await browser.newPage()
  const asked = []
  const note = (request, status) => request.url().startsWith(origin) || asked.push({ method: request.method(), url: request.url(), status })
  page.on('response', (response) => note(response.request(), response.status()))
  page.on('requestfailed', (request) => note(request, 0))
  await page.goto(origin)
  console.log(JSON.stringify({ answers: JSON.parse(await page.evaluate(ask, process.argv.slice(2))), asked }))
} finally {
  await browser.close()
  site.close()
}
