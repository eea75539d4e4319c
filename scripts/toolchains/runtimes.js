// @ts-check
/** The rows of Node itself, Bun and Deno. Each runs the same programs. Differences are described here. */
import { ends } from './ends.js'
import { POINTS, points } from './points.js'
import { PRINTED, program } from './programs.js'

/** @typedef {import('./rows.js').Row} Row */

const prints = PRINTED
/** The output of the program in both forms, one after the other. */
const both = [`main.mjs\n${PRINTED}\n`, `main.cjs\n${PRINTED}\n`]
const allPoints = `${POINTS} of ${POINTS} passed`
const esm = program({ extension: 'ts', type: 'module' })
const mjs = program({ extension: 'mjs' })
const cjs = program({ extension: 'cjs', form: 'require' })
const quick = true

/** @type {Row[]} */
const nodes = [
  { name: 'node', quick, files: { ...mjs, ...cjs }, prints: both },
  { name: 'node22-types', quick, node: '22', files: esm, prints },
  { name: 'node22.18-types', tools: ['nodes', 'base'], node: '22.18', files: esm, prints },
  { name: 'node24-types', node: '24', files: esm, prints },
  {
    name: 'node22-cts',
    node: '22',
    files: program({ extension: 'cts', form: 'require' }),
    commands: ['node main.cts'],
    prints,
  },
  { name: 'node24', node: '24', files: { ...mjs, ...cjs }, prints: both },
  // The lowest versions that package.json allows, and the newest.
  { name: 'node20.19', tools: ['nodes', 'base'], node: '20.19', files: { ...mjs, ...cjs }, prints: both },
  { name: 'node22.12', tools: ['nodes', 'base'], node: '22.12', files: { ...mjs, ...cjs }, prints: both },
  { name: 'node26', tools: ['nodes', 'base'], node: '26', files: { ...mjs, ...cjs }, prints: both },
  pointsUnder('node-points', 'node', { quick }),
  pointsUnder('node22-points', 'node', { quick, node: '22' }),
  pointsUnder('node24-points', 'node', { quick, node: '24' }),
  pointsUnder('node20.19-points', 'node', { tools: ['nodes', 'base'], node: '20.19' }),
  pointsUnder('node22.12-points', 'node', { tools: ['nodes', 'base'], node: '22.12' }),
  pointsUnder('node26-points', 'node', { tools: ['nodes', 'base'], node: '26' }),
  ...endsUnder('node', 'node', '--import', {
    prints: [
      'resourceLimits: 0,ERR_WORKER_CRASHED 1,2\n',
      'rejected: 0,ERR_WORKER_CRASHED 1,2\n',
      'preloaded: true,true,true\n',
      'execArgv: true,true,true\n',
    ],
  }),
]

const elsewhere = { tools: ['runtimes', 'base'] }

/** @type {Row[]} */
const others = [
  { name: 'bun', ...elsewhere, files: esm, prints },
  pointsUnder('bun-points', 'bun', elsewhere),
  ...endsUnder('bun', 'bun', '--preload', {
    ...elsewhere,
    // Without a limit of memory or modules that are loaded before, and with another exit code.
    prints: [
      'resourceLimits: 0,1,2\n',
      'rejected: 0,ERR_WORKER_CRASHED 0,2\n',
      'preloaded: false,false,false\n',
      'execArgv: false,false,false\n',
    ],
  }),
  { name: 'deno', ...elsewhere, files: esm, prints },
  pointsUnder('deno-points', 'deno run -A', elsewhere),
  ...endsUnder('deno', 'deno run -A', '--preload', {
    ...elsewhere,
    // The runtime does not report the end of a worker at its limit of memory. `timeout` finds it.
    prints: [
      'resourceLimits: 0,ERR_TASK_TIMEOUT ,2\n',
      'rejected: 0,ERR_WORKER_CRASHED 1,2\n',
      'preloaded: false,false,false\n',
      /execArgv: Cannot start the workers .* invalid execArgv flags: --import/,
    ],
  }),
]

export const runtimes = [...nodes, ...others]

/** @param {string} name @param {string} runtime @param {Partial<Row>} row @returns {Row} */
function pointsUnder(name, runtime, row) {
  return { name, files: points(), commands: [`${runtime} main.mjs`], prints: allPoints, ...row }
}

/**
 * The workers of a runtime, besides their items: one row in which all runtimes are equal, and one in which they differ.
 *
 * @param {string} name @param {string} runtime @param {string} preload its option for a module that is loaded first
 * @param {Partial<Row> & Required<Pick<Row, 'prints'>>} row @returns {Row[]}
 */
function endsUnder(name, runtime, preload, { prints: differences, ...row }) {
  return [
    {
      name: `${name}-ends`,
      ...row,
      files: ends(),
      commands: [
        `${runtime} main.mjs >out.txt`,
        "grep -c '^line .* end$' out.txt",
        "grep -c '^an exit handler' out.txt",
        `${runtime} late.mjs`,
        `${runtime} exit.mjs || echo "exit code $?"`,
      ],
      prints: [
        /out\.txt\n3000\n/,
        /handler' out\.txt\n[1-3]\n/,
        /^all items: 0,1,2\n/m,
        /^Uncaught error in worker 'mine-1', outside of any item:\n.*of no item/m,
        /^goes on: yes\n/m,
        /^exit code 7\n/m,
      ],
    },
    {
      name: `${name}-limits`,
      ...row,
      files: ends(),
      commands: [`${runtime} ${preload} ./preload.mjs limits.mjs`],
      prints: differences,
    },
  ]
}
