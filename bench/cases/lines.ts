/** The lines of a file, one by one, as strings on one thread: the cost of `lines()`. */
import { lines } from 'millrace'
import { createReadStream } from 'node:fs'
import split2 from 'split2'
import { linesFloor } from '../floor/contenders.js'
import { SECONDS, timed, type Case, type Contender } from '../harness/case.js'
import { readLines } from '../work/batches.js'
import { eachLine } from '../work/expert.js'
import { accessLog, type Log } from '../work/log.js'

const LINES = 1_000_000
const NEWER_NODE = '24'

/** The count of lines, and of all their characters. */
type Counts = readonly [lines: number, characters: number]

async function counted(source: AsyncIterable<string>): Promise<Counts> {
  let count = 0
  let characters = 0
  for await (const line of source) {
    count++
    characters += line.length
  }
  return [count, characters]
}

const millrace: Contender<Log> = {
  name: 'millrace lines()',
  kind: 'millrace',
  open: ({ path }) => ({ run: timed(() => counted(lines(path))) }),
}

const readline: Contender<Log> = {
  name: 'node:readline',
  open: ({ path }) => ({ run: timed(() => counted(readLines(path))) }),
}

/** The same in a newer Node, whose `readline` may be faster. */
const newerReadline: Contender<Log> = { ...readline, name: `node:readline, Node ${NEWER_NODE}`, node: NEWER_NODE }

const split: Contender<Log> = {
  name: 'split2',
  open: ({ path }) => ({ run: timed(() => counted(createReadStream(path).pipe(split2()))) }),
}

const loop: Contender<Log> = {
  name: "expert's loop",
  kind: 'loop',
  open: ({ path }) => ({
    run: timed((): Counts => {
      let count = 0
      let characters = 0
      eachLine(path, (line) => {
        count++
        characters += line.length
      })
      return [count, characters]
    }),
  }),
}

const linesCase: Case<Log> = {
  name: 'lines',
  title: 'the lines of a file, as strings, on one thread',
  unit: SECONDS,
  async prepare(scale) {
    const log = await accessLog(Math.ceil(LINES * scale))
    // Each line has an end of one byte, and the log is ASCII.
    const answer: Counts = [log.lines, log.size - log.lines]
    const about = `${log.lines.toLocaleString('en')} lines, ${Math.round(log.size / 1e6)} MB`
    return { parameters: log, answer, about }
  },
  contenders: [millrace, linesFloor, readline, newerReadline, split, loop],
  goals: [{ ours: 'millrace lines()', against: 'node:readline', measure: 'advantage', atLeast: 4 }],
}

export default linesCase
