/** Lines without WebAssembly, which Node lacks under `--jitless`: on this thread, and by workers. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** This file is in build/test/scan/. */
const root = fileURLToPath(new URL('../../../', import.meta.url))

const PROGRAM = `
import { lines, Pool } from 'millrace'
import { openKernel } from '#dist/scan/memory.js'

const text = Array.from({ length: 50_000 }, (_, i) => 'line ' + i + (i % 7 ? '' : ' ä') + (i % 3 ? '' : '\\r') + '\\n').join('')
const source = () => lines([Buffer.from(text)])
let here = ''
for await (const line of source()) here += line + '|'
const pool = new Pool({ workers: 1 })
let there = ''
for await (const length of pool.imap({ module: new URL('data:text/javascript,export const same = (line) => line'), export: 'same' }, source()))
  there += length + '|'
await pool.close()
const expected = text.replaceAll('\\r', '').replaceAll('\\n', '|')
console.log(openKernel() === null, here === expected, there === expected)
`

it('lines() gives the same under --jitless, here and in workers', async () => {
  const args = ['--jitless', '--input-type=module', '--eval', PROGRAM]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  expect(stdout).toBe('true true true\n')
})
