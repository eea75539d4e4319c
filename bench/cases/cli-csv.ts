/** The command line: three of eight columns of a CSV file, as NDJSON. */
import { assertInstalled, millrace, timedCommand } from '../cli/programs.js'
import { SECONDS, type Case, type Contender } from '../harness/case.js'
import { PICKED, picks, writtenTo, type Picks } from '../work/picks.js'

const ROWS = 1_800_000

const ours: Contender<Picks> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ path }) => ({
    run: timedCommand(millrace('--columns', PICKED.join(), '-t', 'ndjson', path), writtenTo),
  }),
}

const miller: Contender<Picks> = {
  name: 'Miller',
  open: ({ path }) => {
    assertInstalled('mlr')
    // Without types, as for millrace: to guess them takes it longer.
    return {
      run: timedCommand(['mlr', '--icsv', '--ojsonl', '-S', 'cut', '-o', '-f', PICKED.join(), path], writtenTo),
    }
  },
}

const cliCsv: Case<Picks> = {
  name: 'cli-csv',
  title: 'from the shell: three of eight columns of a CSV file, as NDJSON',
  unit: SECONDS,
  async prepare(scale) {
    const made = await picks(Math.ceil(ROWS * scale))
    const about = `${made.rows.toLocaleString('en')} rows, ${Math.round(made.size / 1e6)} MB`
    return { parameters: made, answer: made.written, about }
  },
  contenders: [ours, miller],
  goals: [{ ours: ours.name, against: miller.name, measure: 'advantage', atLeast: 4 }],
}

export default cliCsv
