/** Lines and columns of JSON without WebAssembly, which Node lacks under `--jitless`: on this thread, and by workers. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** This file is in build/test/scan/. */
const root = fileURLToPath(new URL('../../../', import.meta.url))

const PROGRAM = `
import { lines, ndjson, Pool } from 'millrace'
import { openKernel } from '#dist/scan/memory.js'

const text = Array.from({ length: 50_000 }, (_, i) => 'line ' + i + (i % 7 ? '' : ' ä') + (i % 3 ? '' : '\\r') + '\\n').join('')
const source = () => lines([Buffer.from(text)])
let here = ''
for await (const line of source()) here += line + '|'
const pool = new Pool({ workers: 1 })
let there = ''
for await (const length of pool.imap({ module: new URL('data:text/javascript,export const same = (line) => line'), export: 'same' }, source()))
  there += length + '|'
const rows = Array.from({ length: 5_000 }, (_, id) => (id % 3 ? { x: '"' + id, id, a: { ü: [id] } } : { a: '}', x: 0 }))
const records = () => ndjson([Buffer.from(rows.map((row) => JSON.stringify(row) + '\\n').join(''))], { columns: ['a', 'id'] })
const picked = rows.map(({ a, id }) => JSON.stringify({ a, id })).join('')
let rowsHere = ''
for await (const row of records()) rowsHere += JSON.stringify(row)
let rowsThere = ''
for await (const text of pool.imap({ module: new URL('data:text/javascript,export const text = (row) => JSON.stringify(row)'), export: 'text' }, records()))
  rowsThere += text
await pool.close()
const expected = text.replaceAll('\\r', '').replaceAll('\\n', '|')
console.log(openKernel() === null, here === expected, there === expected, rowsHere === picked, rowsThere === picked)
`

it('lines() and ndjson() with columns give the same under --jitless, here and in workers', async () => {
  const args = ['--jitless', '--input-type=module', '--eval', PROGRAM]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  expect(stdout).toBe('true true true true true\n')
})
