// @ts-check
/**
 * Long runs that find defects that short tests do not find: `npm run stress -- NAME [OPTIONS]`. It builds first. The
 * first lines of each program describe its options.
 */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

/** By name: the built program, and the project that builds it. */
const PROGRAMS = {
  fuzz: { file: 'build/test/support/fuzz.js', project: 'test/tsconfig.json' },
  csv: { file: 'build/test/support/csv-fuzz.js', project: 'test/tsconfig.json' },
  json: { file: 'build/test/support/json-fuzz.js', project: 'test/tsconfig.json' },
  wire: { file: 'build/test/support/wire-fuzz.js', project: 'test/tsconfig.json' },
  kill: { file: 'build/test/support/kill.js', project: 'test/tsconfig.json' },
  resume: { file: 'build/test/support/resume-kills/main.js', project: 'test/tsconfig.json' },
  contention: { file: 'build/test/support/contention.js', project: 'test/tsconfig.json' },
  soak: { file: 'build/bench/soak/main.js', project: 'bench' },
  'soak --cluster': { file: 'build/test/support/soak/cluster.js', project: 'test/tsconfig.json' },
}

process.chdir(resolve(import.meta.dirname, '..'))
const [name = '', ...options] = process.argv.slice(2)
const wanted = name === 'soak' && options.includes('--cluster') ? 'soak --cluster' : name
const program = Object.entries(PROGRAMS).find(([known]) => known === wanted)?.[1]
if (program === undefined) {
  console.error(`Cannot run '${name}': npm run stress -- ${Object.keys(PROGRAMS).join(' | ')}, and its options`)
  process.exit(1)
}
node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json')
node('scripts/bundle.js')
node('node_modules/typescript/bin/tsc', '-p', program.project)
node(program.file, ...options)

/** @param {string[]} args */
function node(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
