/** Bytes in memory: how fast are the ends of records found, on one thread? */
import { readFile } from 'node:fs/promises'
import { ARRAY_START, findElements } from '#dist/scan/elements.js'
import { BLOCK_SIZE, Slab } from '#dist/scan/memory.js'
import { findQuoted, RECORD_START, type QuotedDialect } from '#dist/scan/quoted.js'
import { findByte } from '#dist/scan/scan.js'
import type { Case, Contender } from '../harness/case.js'
import { events, type Events } from '../work/events.js'
import { table, type Table } from '../work/table.js'

const ROWS = 400_000
const EVENTS = 250_000
/** Each run scans all bytes this many times: one takes 15 ms. */
const TIMES = 10
const NEWLINE = 10

const DIALECT: QuotedDialect = {
  delimiter: 44,
  quote: 34,
  escape: 34,
  comment: -1,
  newline: NEWLINE,
  trim: false,
  skipEmpty: true,
}

interface Work {
  readonly plain: Table
  readonly quoted: Table
  readonly elements: Events
}

/** A file in memory that the kernel can scan, one block after the other. */
class Blocks {
  readonly size: number
  readonly #blocks: readonly { readonly slab: Slab; readonly end: number }[]

  private constructor(bytes: Buffer, from: number) {
    this.size = bytes.length - from
    this.#blocks = Array.from({ length: Math.ceil(this.size / BLOCK_SIZE) }, (_, i) => {
      const slab = Slab.take(BLOCK_SIZE)
      const length = bytes.copy(slab.bytes(), 0, from + i * BLOCK_SIZE)
      return { slab, end: slab.start + length }
    })
  }

  /** @param opening What stands before the first record, if it is not the start of the file. */
  static async of(path: string, opening = ''): Promise<Blocks> {
    const bytes = await readFile(path)
    return new Blocks(bytes, bytes.indexOf(opening) + opening.length)
  }

  /** The sum of what is found in each block. */
  sum(find: (slab: Slab, end: number) => number): number {
    return this.#blocks.reduce((sum, { slab, end }) => sum + find(slab, end), 0)
  }
}

/** @param expected How many ends a scan of all blocks finds. */
function scanned(
  name: string,
  open: (work: Work) => Promise<[blocks: Blocks, expected: number]>,
  find: Find,
): Contender<Work> {
  return {
    name,
    kind: 'millrace',
    open: async (work) => {
      const [blocks, expected] = await open(work)
      const numbers = Slab.take(BLOCK_SIZE)
      return {
        run: () => {
          const scan = find(numbers)
          const start = performance.now()
          for (let i = 0; i < TIMES; i++) {
            const found = blocks.sum(scan())
            if (found !== expected) throw new Error(`Found ${found} ends of records: expected ${expected}`)
          }
          const seconds = (performance.now() - start) / 1_000
          return Promise.resolve({ figure: (TIMES * blocks.size) / 1e9 / seconds, answer: 'all ends' })
        },
      }
    },
  }
}

/** Makes a scan of all blocks, which writes ends into `numbers`: a function of one block, which is called in turn. */
type Find = (numbers: Slab) => () => (slab: Slab, end: number) => number

const findRecords: Find = (slab) => () => {
  let state = RECORD_START
  const room = { slab, at: slab.start }
  return (bytes, end) => {
    const found = findQuoted(bytes, bytes.start, end, DIALECT, state, room)
    state = found.state
    return found.count
  }
}

const findValues: Find = (slab) => () => {
  let state = ARRAY_START
  const room = { slab, at: slab.start }
  return (bytes, end) => {
    const found = findElements(bytes, bytes.start, end, state, room)
    state = found.state
    return found.count
  }
}

const findLines: Find = (slab) => () => {
  const room = { slab, at: slab.start }
  return (bytes, end) => findByte(bytes, bytes.start, end, NEWLINE, room).count
}

const CSV = 'CSV without quotes'
const QUOTED = 'CSV, all in quotes'

const contenders = [
  scanned(CSV, async ({ plain }) => [await Blocks.of(plain.path), plain.rows + 1], findRecords),
  scanned(QUOTED, async ({ quoted }) => [await Blocks.of(quoted.path), quoted.rows + 1], findRecords),
  scanned(
    'JSON array',
    async ({ elements }) => [await Blocks.of(elements.path, '"rows":['), elements.events],
    findValues,
  ),
  scanned('lines', async ({ plain }) => [await Blocks.of(plain.path), plain.rows + 1], findLines),
]

const scanCase: Case<Work> = {
  name: 'scan',
  title: 'the ends of records in bytes in memory, one thread',
  unit: { name: 'GB/s', digits: 2, better: 'more' },
  async prepare(scale) {
    const rows = Math.ceil(ROWS * scale)
    const plain = await table(rows, 'plain')
    const quoted = await table(rows, 'quoted')
    const elements = await events(Math.ceil(EVENTS * scale), 'array')
    const sizes = [plain, quoted, elements].map(({ size }) => Math.round(size / 1e6))
    return { parameters: { plain, quoted, elements }, answer: 'all ends', about: `${sizes.join(', ')} MB` }
  },
  contenders,
  goals: [CSV, QUOTED].map((ours) => ({ ours, measure: 'figure', atLeast: 3 })),
}

export default scanCase
