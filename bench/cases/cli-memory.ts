/** The command line: its peak memory, for an input and for ten times as much. */
import { millrace, moduleOf, peakOf, type Command } from '../cli/programs.js'
import type { Case, Contender, Goal } from '../harness/case.js'
import { events } from '../work/events.js'
import { accessLog } from '../work/log.js'
import { table } from '../work/table.js'

const TIMES = 10
/** In MB. */
const MOST = 300

interface Inputs {
  readonly events: string
  readonly table: string
  readonly log: string
}

const COMMANDS: Readonly<Record<string, (inputs: Inputs, times: number) => Command>> = {
  'NDJSON, filter': ({ events: path }, times) =>
    millrace('-i', 'ndjson', '-w', 'd.type === "buy"', '-e', 'd.user', ...repeated(path, times)),
  'CSV to NDJSON': ({ table: path }, times) => millrace('-t', 'ndjson', ...repeated(path, times)),
  'lines, top ten': ({ log }, times) => millrace('-r', moduleOf('top-pages.js'), ...repeated(log, times)),
}

function repeated(path: string, times: number): readonly string[] {
  return Array.from({ length: times }, () => path)
}

const contenders = Object.entries(COMMANDS).flatMap(([name, command]) =>
  [1, TIMES].map((times): Contender<Inputs> => ({
    name: times === 1 ? name : `${name}, × ${times}`,
    kind: 'millrace',
    open: (inputs) => ({
      run: async () => ({ figure: await peakOf(command(inputs, times)), answer: true }),
    }),
  })),
)

const goals = contenders.map(({ name }): Goal => ({ ours: name, measure: 'figure', atMost: MOST }))

const cliMemory: Case<Inputs> = {
  name: 'cli-memory',
  title: 'from the shell: peak memory',
  unit: { name: 'MB', digits: 0, better: 'less' },
  async prepare(scale) {
    const [made, rows, log] = [
      await events(Math.ceil(900_000 * scale), 'lines'),
      await table(Math.ceil(1_800_000 * scale), 'plain'),
      await accessLog(Math.ceil(1_000_000 * scale)),
    ]
    const about = `files of ${[made, rows, log].map(({ size }) => Math.round(size / 1e6)).join(', ')} MB, once and ten times`
    return { parameters: { events: made.path, table: rows.path, log: log.path }, answer: true, about }
  },
  contenders,
  goals,
}

export default cliMemory
