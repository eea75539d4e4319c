/** The lines of a file into a gzip file: what it saves to compress members side by side. */
import { lines, write } from 'millrace'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
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
function written(work: (input: string, output: string) => Promise<unknown>): (input: Input) => Entry {
  return ({ path }) => {
    const output = `${path}.out.gz`
    return {
      run: async () => {
        const start = performance.now()
        await work(path, output)
        const figure = (performance.now() - start) / 1_000
        return { figure, answer: await contentOf(output) }
      },
    }
  }
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
  open: written((input, output) => write(output)(lines(input))),
}

/** It reads lines as well, so that the difference is in the compression alone. */
const oneGzip: Contender<Input> = {
  name: 'lines() and createGzip()',
  open: written((input, output) => pipeline(Readable.from(blocksOf(input)), createGzip(), createWriteStream(output))),
}

async function* blocksOf(path: string): AsyncGenerator<string> {
  let text = ''
  for await (const line of lines(path)) {
    text += `${line}\n`
    if (text.length < BLOCK) continue
    yield text
    text = ''
  }
  yield text
}

/** Blocks of bytes, without a look at the lines. */
const copy: Contender<Input> = {
  name: 'a pipeline of bytes through createGzip()',
  kind: 'loop',
  open: written((input, output) => pipeline(createReadStream(input), createGzip(), createWriteStream(output))),
}

const gzipOutput: Case<Input> = {
  name: 'gzip-output',
  title: 'the lines of a file into a gzip file',
  unit: SECONDS,
  async prepare(scale) {
    const { path, lines: count } = await accessLog(Math.ceil(LINES * scale))
    const { size } = await stat(path)
    const about = `${count.toLocaleString('en')} lines, ${Math.round(size / 1e6)} MB before gzip`
    return { parameters: { path }, answer: { lines: count, size }, about }
  },
  contenders: [members, oneGzip, copy],
  goals: [{ ours: members.name, against: oneGzip.name, measure: 'advantage', atLeast: 1.7 }],
}

export default gzipOutput
