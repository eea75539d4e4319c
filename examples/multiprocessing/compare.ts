/**
 * Runs each program of this folder in its Python form and in ours, one after the other, and compares what they print, line
 * by line. Lines that begin with `#` are not compared: they tell times, memory and numbers of cores, which differ from run to run.
 * The exit code is 1 when anything else differs.
 *
 *     compare [--times N]    N: how often the counter runs, in both forms (default: 20)
 */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'

interface Program {
  readonly name: string
  /** Arguments of both forms. */
  readonly args?: readonly string[]
  /** Which lines of stderr are compared, too. They are sorted: processes that run at once log in no order. */
  readonly log?: RegExp
}

interface Run {
  readonly lines: readonly string[]
  /** What is not compared. */
  readonly notes: readonly string[]
  readonly seconds: number
}

const { values } = parseArgs({ options: { times: { type: 'string', default: '20' } } })

const PROGRAMS: readonly Program[] = [
  { name: 'bubble-sort' },
  { name: 'square-roots' },
  { name: 'counter', args: ['--times', values.times] },
  { name: 'square' },
  { name: 'multiply' },
  { name: 'spare-core' },
  // What the libraries log themselves, of processes that start and end, is in other words.
  { name: 'process-names', log: /^\[\w+\/[\w-]+\] working/ },
  { name: 'huge-range' },
  { name: 'neighbours' },
]

/** The compiled programs are beside this file, the Python ones where they were written. */
const COMPILED = import.meta.dirname
const WRITTEN = resolve(COMPILED, '../../../examples/multiprocessing')

/** Milliseconds that a program may take: one that hangs is told by its name. */
const LIMIT = 60_000 + 2_000 * (Number(values.times) || 0)

const start = promisify(execFile)

async function run(file: string, args: readonly string[], log: RegExp | undefined): Promise<Run> {
  const begin = performance.now()
  const { stdout, stderr } = await start(file, args, { timeout: LIMIT })
  const seconds = (performance.now() - begin) / 1000
  const all = stdout.trimEnd().split(/\r?\n/)
  const logged = log === undefined ? [] : stderr.split(/\r?\n/).filter((line) => log.test(line))
  return {
    lines: [...all.filter((line) => !line.startsWith('#')), ...logged.sort()],
    notes: all.filter((line) => line.startsWith('#')),
    seconds,
  }
}

async function pythonVersion(): Promise<string> {
  try {
    const code = 'import sys; print(sys.version.split()[0]); sys.exit(sys.version_info < (3, 9))'
    return (await start('python3', ['-c', code])).stdout.trim()
  } catch (cause) {
    const text =
      'Cannot compare as there is no Python 3.9 or later by the name of python3. To install it: ' +
      'apt-get install python3 (Debian, Ubuntu), brew install python3 (macOS), or https://www.python.org/downloads/'
    throw new Error(text, { cause })
  }
}

function differences(python: Run, ours: Run): string[] {
  const count = Math.max(python.lines.length, ours.lines.length)
  return Array.from({ length: count }, (_, n) => n)
    .filter((n) => python.lines[n] !== ours.lines[n])
    .flatMap((n) => [
      `  line ${n + 1}`,
      `    Python  ${python.lines[n] ?? '(no such line)'}`,
      `    ours    ${ours.lines[n] ?? '(no such line)'}`,
    ])
}

/** Prints a row of the table, and below it what the programs tell of themselves, or where they differ. */
async function compare({ name, args = [], log }: Program): Promise<boolean> {
  try {
    const python = await run('python3', [resolve(WRITTEN, `${name}.py`), ...args], log)
    const ours = await run(process.execPath, [resolve(COMPILED, `${name}.js`), ...args], log)
    const different = differences(python, ours)
    row(name, different.length === 0 ? 'same' : 'differs', python.seconds.toFixed(1), ours.seconds.toFixed(1))
    for (const line of different) console.log(line)
    for (const line of python.notes) console.log(`  Python  ${line}`)
    for (const line of ours.notes) console.log(`  ours    ${line}`)
    return different.length === 0
  } catch (error) {
    row(name, 'fails', '', '')
    console.log(reason(error))
    return false
  }
}

/** Why a program failed: `execFile` has put what it wrote on stderr into the message, but says nothing of the limit. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'killed' in error && error.killed === true ? `${error.message}\nlonger than ${LIMIT / 1000} s` : error.message
}

function row(name: string, output: string, python: string, ours: string): void {
  console.log(`${name.padEnd(14)}${output.padEnd(9)}${python.padStart(10)}${ours.padStart(10)}`)
}

async function main(): Promise<number> {
  console.log(`Python ${await pythonVersion()}, Node ${process.version}; lines with # are not compared`)
  row('program', 'output', 'Python s', 'ours s')
  let unequal = 0
  for (const program of PROGRAMS) if (!(await compare(program))) unequal++
  console.log(`${PROGRAMS.length - unequal} of ${PROGRAMS.length} programs print the same`)
  return unequal === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  // No python3.
  console.error(reason(error))
  process.exitCode = 1
}
