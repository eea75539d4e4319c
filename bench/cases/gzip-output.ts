/** Text in memory, in blocks of whole lines, into a gzip file: what it saves to compress members side by side. */
import { write } from 'millrace'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { SECONDS, type Case, type Contender, type Entry } from '../harness/case.js'
import { accessLog } from '../work/log.js'

const LINES = 500_000
const NEWLINE = 10
const BLOCK = 64 * 1024

interface Input {
  readonly path: string
}

/** Measures the writing. What was written is looked at afterwards. */
function written(
  work: (blocks: readonly string[], output: string) => Promise<unknown>,
): (input: Input) => Promise<Entry> {
  return async ({ path }) => {
    const blocks = blocksOf(await readFile(path, 'utf8'))
    const output = `${path}.out.gz`
    return {
      run: async () => {
        const start = performance.now()
        await work(blocks, output)
        const figure = (performance.now() - start) / 1_000
        return { figure, answer: await contentOf(output) }
      },
    }
  }
}

/** Whole lines. The last one of each block has no end. */
function blocksOf(text: string): string[] {
  const blocks: string[] = []
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', Math.min(start + BLOCK, text.length - 1))
    blocks.push(text.slice(start, end))
    start = end + 1
  }
  return blocks
}

async function contentOf(path: string): Promise<{ readonly lines: number; readonly size: number }> {
  let count = 0
  let size = 0
  for await (const block of createReadStream(path).pipe(createGunzip()) as AsyncIterable<Buffer>) {
    size += block.length
    for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) count++
  }
  return { lines: count, size }
}

const members: Contender<Input> = {
  name: 'millrace write()',
  kind: 'millrace',
  open: written((blocks, output) => write(output)(blocks)),
}

const oneGzip: Contender<Input> = {
  name: 'createGzip()',
  open: written((blocks, output) => pipeline(Readable.from(ended(blocks)), createGzip(), createWriteStream(output))),
}

function* ended(blocks: readonly string[]): Generator<string> {
  for (const block of blocks) yield `${block}\n`
}

const gzipOutput: Case<Input> = {
  name: 'gzip-output',
  title: 'text in memory into a gzip file',
  unit: SECONDS,
  async prepare(scale) {
    const { path, lines: count, size } = await accessLog(Math.ceil(LINES * scale))
    const about = `${count.toLocaleString('en')} lines, ${Math.round(size / 1e6)} MB before gzip`
    return { parameters: { path }, answer: { lines: count, size }, about }
  },
  contenders: [members, oneGzip],
  goals: [{ ours: members.name, against: oneGzip.name, measure: 'advantage', atLeast: 1.7 }],
}

export default gzipOutput
