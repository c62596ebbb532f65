// DuckDB as a researcher has it: node duckdb.mjs SQL prints the rows as JSON.
import { DuckDBInstance } from '@duckdb/node-api'

const connection = await (await DuckDBInstance.create()).connect()
const rows = await connection.runAndReadAll(process.argv[2])
console.log(JSON.stringify(rows.getRowObjectsJson()))
