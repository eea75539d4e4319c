/** The command line: the ten most frequent pages of an access log, found by a regular expression. */
import { readFile } from 'node:fs/promises'
import { assertInstalled, millrace, moduleOf, timedCommand, type Command } from '../cli/programs.js'
import fold, { topOf, type Page } from '../cli/top-pages.js'
import { SECONDS, type Case, type Contender } from '../harness/case.js'
import { accessLog, type Log } from '../work/log.js'

const LINES = 1_000_000
/** It counts, and prints all counts. It has no groups: so the method is taken off by hand. */
const COUNT =
  'match($0, /"(GET|POST|HEAD) \\/[^\\/ ]+\\/[^\\/ ]+/) { page = substr($0, RSTART, RLENGTH); ' +
  'sub(/^[^\\/]*/, "", page); counts[page]++ } END { for (page in counts) print page, counts[page] }'

const ours: Contender<Log> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ path }) => ({
    run: timedCommand(millrace('-r', moduleOf('top-pages.js'), path), async (output) =>
      JSON.parse(await readFile(output, 'utf8')),
    ),
  }),
}

function awk(name: string): Contender<Log> {
  return {
    name,
    open: ({ path }) => {
      assertInstalled(name)
      const command: Command = [name, COUNT, path]
      // The list of all pages is short. It is sorted here, which takes no time to speak of.
      return { run: timedCommand(command, async (output) => topOf(pagesIn(await readFile(output, 'utf8')))) }
    },
  }
}

function pagesIn(text: string): Page[] {
  const lines = text.trimEnd().split('\n')
  return lines.map((line) => {
    const at = line.lastIndexOf(' ')
    return [line.slice(0, at), Number(line.slice(at + 1))]
  })
}

const [mawk, gawk] = [awk('mawk'), awk('gawk')]

const cliTop: Case<Log> = {
  name: 'cli-top',
  title: 'from the shell: the ten most frequent pages of an access log',
  unit: SECONDS,
  async prepare(scale) {
    const log = await accessLog(Math.ceil(LINES * scale))
    const lines = (await readFile(log.path, 'latin1')).split('\n')
    const answer = topOf(lines.reduce((counts, line) => fold.fold(counts, line), new Map<string, number>()))
    return {
      parameters: log,
      answer,
      about: `${log.lines.toLocaleString('en')} lines, ${Math.round(log.size / 1e6)} MB`,
    }
  },
  contenders: [ours, mawk, gawk],
  goals: [
    { ours: ours.name, against: mawk.name, measure: 'advantage', atLeast: 2 },
    { ours: ours.name, against: gawk.name, measure: 'advantage', atLeast: 4 },
  ],
}

export default cliTop
