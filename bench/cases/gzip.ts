/** The lines of eight gzip files, one by one, as strings: what it saves to inflate files side by side. */
import { lines } from 'millrace'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { createGunzip, gunzipSync, gzip } from 'node:zlib'
import { SECONDS, timed, type Case, type Contender } from '../harness/case.js'
import { accessLog, type Log } from '../work/log.js'

const LINES = 1_000_000
const FILES = 8
const NEWLINE = 10
/** Of the loop by hand. */
const BLOCK = 1 << 20

interface Input {
  readonly paths: readonly string[]
}

class Counts {
  lines = 0
  characters = 0

  add(line: string): void {
    this.lines++
    this.characters += line.length
  }

  async addAll(source: AsyncIterable<string>): Promise<void> {
    for await (const line of source) this.add(line)
  }
}

const together: Contender<Input> = {
  name: 'millrace lines()',
  kind: 'millrace',
  open: ({ paths }) => ({
    run: timed(async () => {
      const counts = new Counts()
      await counts.addAll(lines(paths))
      return counts
    }),
  }),
}

/** The same work on each file, with nothing ahead of it but the file itself. */
const oneByOne: Contender<Input> = {
  name: 'millrace lines(), one file after the other',
  kind: 'millrace',
  open: ({ paths }) => ({ run: timed(() => inTurn(paths, (path) => lines(path))) }),
}

const readline: Contender<Input> = {
  name: 'node:zlib and node:readline',
  open: ({ paths }) => ({ run: timed(() => inTurn(paths, gunzipLines)) }),
}

/** Decompresses a file, then counts its lines. Nothing happens at the same time. */
const loop: Contender<Input> = {
  name: "expert's loop",
  kind: 'loop',
  open: ({ paths }) => ({
    run: timed(() => {
      const counts = new Counts()
      for (const path of paths) {
        const bytes = gunzipSync(readFileSync(path), { chunkSize: BLOCK })
        for (let start = 0; start < bytes.length;) {
          const end = bytes.lastIndexOf(NEWLINE, start + BLOCK - 1) + 1
          const text = bytes.toString('latin1', start, end)
          for (let from = 0, to = 0; (to = text.indexOf('\n', from)) !== -1; from = to + 1) {
            counts.add(text.slice(from, to))
          }
          start = end
        }
      }
      return counts
    }),
  }),
}

async function inTurn(paths: readonly string[], linesOf: (path: string) => AsyncIterable<string>): Promise<Counts> {
  const counts = new Counts()
  for (const path of paths) await counts.addAll(linesOf(path))
  return counts
}

/** As in Node's manual. */
function gunzipLines(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path).pipe(createGunzip()), crlfDelay: Infinity })
}

/** The log in parts of equal size, as gzip. They are made if they do not exist. */
async function partsOf({ path }: Log): Promise<string[]> {
  const paths = Array.from({ length: FILES }, (_, n) => `${path}.${n}.gz`)
  if (paths.every((part) => existsSync(part))) return paths
  const log = await readFile(path)
  let start = 0
  for (const [n, part] of paths.entries()) {
    const end = log.indexOf(NEWLINE, Math.ceil(((n + 1) * log.length) / FILES) - 1) + 1
    const partial = `${part}.part`
    await writeFile(partial, await promisify(gzip)(log.subarray(start, end)))
    await rename(partial, part)
    start = end
  }
  return paths
}

const gzipCase: Case<Input> = {
  name: 'gzip',
  title: 'the lines of eight gzip files, as strings',
  unit: SECONDS,
  async prepare(scale) {
    const log = await accessLog(Math.ceil(LINES * scale))
    // Each line has an end of one byte, and the log is ASCII.
    const answer = { lines: log.lines, characters: log.size - log.lines }
    const about = `${log.lines.toLocaleString('en')} lines, ${Math.round(log.size / 1e6)} MB before gzip`
    return { parameters: { paths: await partsOf(log) }, answer, about }
  },
  contenders: [together, oneByOne, readline, loop],
  goals: [
    { ours: 'millrace lines()', against: oneByOne.name, measure: 'advantage', atLeast: 1.8 },
    { ours: 'millrace lines()', against: readline.name, measure: 'advantage', atLeast: 4 },
  ],
}

export default gzipCase
