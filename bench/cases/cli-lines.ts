/** The command line: a function of JavaScript for each line, beside Node scripts that GNU parallel runs on blocks. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import lineOfHit from '../cli/line-of-hit.js'
import { assertInstalled, hashOf, millrace, moduleOf, reading, timedCommand, type Command } from '../cli/programs.js'
import { SECONDS, type Case, type Contender } from '../harness/case.js'
import { accessLog, type Log } from '../work/log.js'

const LINES = 1_000_000
/** Of a block. Each takes a start of Node: with the default of 1 MB these would take most of the time. */
const BLOCK = '20M'

const ours: Contender<Log> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ path }) => ({ run: timedCommand(millrace('-m', moduleOf('line-of-hit.js'), path), hashOf) }),
}

/** GNU parallel, in the order of the input. */
const PARALLEL = ['parallel', '--will-cite', '--keep-order', '--block', BLOCK] as const

function parallel(name: string, command: (path: string) => Command): Contender<Log> {
  return {
    name,
    open: ({ path }) => {
      assertInstalled('parallel')
      return { run: timedCommand(command(path), hashOf) }
    },
  }
}

const piped = parallel('parallel --pipe, readline', (path) =>
  reading(path, [...PARALLEL, '--pipe', 'node', moduleOf('each-line.js')]),
)
const parts = parallel('parallel --pipepart, whole blocks', (path) => {
  return [...PARALLEL, '--pipepart', '-a', path, 'node', moduleOf('all-lines.js')]
})

const cliLines: Case<Log> = {
  name: 'cli-lines',
  title: 'from the shell: a function for each line of an access log',
  unit: SECONDS,
  async prepare(scale) {
    const log = await accessLog(Math.ceil(LINES * scale))
    const hash = createHash('sha1')
    for (const line of (await readFile(log.path, 'latin1')).split('\n').slice(0, -1))
      hash.update(`${lineOfHit(line)}\n`)
    const about = `${log.lines.toLocaleString('en')} lines, ${Math.round(log.size / 1e6)} MB`
    return { parameters: log, answer: hash.digest('hex'), about }
  },
  contenders: [ours, piped, parts],
  goals: [{ ours: ours.name, against: piped.name, measure: 'advantage', atLeast: 3 }],
}

export default cliLines
