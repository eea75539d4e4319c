/**
 * Runs one of the three programs, as its users do, on an input that is made once: `main.js errors|clean|sensors [BYTES]`. Input
 * and output are in the temporary folder of the system.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Of each: its output, its input, and how many bytes that has. */
const PROGRAMS = {
  errors: { output: 'errors.csv', input: 'access.log', size: 200_000_000 },
  clean: { output: 'customers.ndjson.gz', input: 'customers.csv', size: 1_000_000_000 },
  sensors: { output: 'readings', input: 'sensors', size: 200_000_000 },
}

const [, , name = '', bytes = ''] = process.argv
if (!isProgram(name)) throw new Error(`Usage: main.js ${Object.keys(PROGRAMS).join('|')} [BYTES]`)
const { output, input } = PROGRAMS[name]
const size = bytes === '' ? String(PROGRAMS[name].size) : bytes
const folder = join(tmpdir(), `millrace-etl-${name}-${size}`)
mkdirSync(folder, { recursive: true })
console.log(`in ${folder}:`)
if (!existsSync(join(folder, input))) {
  console.log(`making ${input}, once`)
  run('make-input', name, `${input}.new`, size)
  renameSync(join(folder, `${input}.new`), join(folder, input))
}
run(name, output, input)

function isProgram(given: string): given is keyof typeof PROGRAMS {
  return Object.hasOwn(PROGRAMS, given)
}

function run(program: string, ...args: string[]): void {
  const file = fileURLToPath(new URL(`${program}.js`, import.meta.url))
  const { status } = spawnSync(process.execPath, [file, ...args], { cwd: folder, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
