/** The command line: a fifth of an NDJSON file, with three fields. */
import { readFile } from 'node:fs/promises'
import { assertInstalled, millrace, timedCommand, type Command } from '../cli/programs.js'
import { SECONDS, type Case, type Contender } from '../harness/case.js'
import { events, type Events, type Written } from '../work/events.js'

const EVENTS = 900_000

/** What was written, without the spaces that some put between names and values. */
async function withoutSpaces(output: string): Promise<Written> {
  const text = await readFile(output, 'latin1')
  return { lines: text.split('\n').length - 1, size: text.replaceAll(': ', ':').replaceAll(', ', ',').length }
}

function contender(name: string, program: string | undefined, command: (path: string) => Command): Contender<Events> {
  return {
    name,
    ...(program === undefined && { kind: 'millrace' }),
    open: ({ path }) => {
      if (program !== undefined) assertInstalled(program)
      return { run: timedCommand(command(path), withoutSpaces) }
    },
  }
}

const ours = contender('millrace', undefined, (path) =>
  millrace(
    ...['-i', 'ndjson', '-w', 'd.type === "buy"'],
    ...['-e', '({ id: d.id, user: d.user.name, total: Math.round(d.count * d.price * 100) / 100 })', path],
  ),
)

const JQ = 'select(.type == "buy") | {id, user: .user.name, total: ((.count * .price * 100 | round) / 100)}'
const jq = contender('jq', 'jq', (path) => ['jq', '-c', JQ, path])

const miller = contender('Miller', 'mlr', (path) => [
  ...(['mlr', '--ijsonl', '--ojsonl', 'filter', '$type == "buy"'] as const),
  ...['then', 'put', '$user = $user["name"]; $total = round($count * $price * 100) / 100'],
  ...['then', 'cut', '-o', '-f', 'id,user,total', path],
])

const cliNdjson: Case<Events> = {
  name: 'cli-ndjson',
  title: 'from the shell: a fifth of an NDJSON file, with three fields',
  unit: SECONDS,
  async prepare(scale) {
    const made = await events(Math.ceil(EVENTS * scale), 'lines')
    const about = `${made.events.toLocaleString('en')} values, ${Math.round(made.size / 1e6)} MB`
    return { parameters: made, answer: made.written, about }
  },
  contenders: [ours, jq, miller],
  goals: [
    { ours: ours.name, against: jq.name, measure: 'advantage', atLeast: 3 },
    { ours: ours.name, against: miller.name, measure: 'advantage', atLeast: 1.5 },
  ],
}

export default cliNdjson
