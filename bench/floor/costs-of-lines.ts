/** What it costs to read a file, to find its line ends, and to cut its lines. Each work checks what it found. */
import { closeSync, createReadStream, openSync, readFileSync, readSync } from 'node:fs'
import { BLOCK_SIZE, Slab } from '#dist/scan/memory.js'
import { findByte } from '#dist/scan/scan.js'
import type { Log } from '../work/log.js'

const BLOCK_BYTES = 1 << 20
/** A piece of about this size becomes one string. */
const PIECE_BYTES = 2_048
const NEWLINE = 10

/** A log that is in memory, with the offsets of its line ends. */
export class LoadedLog {
  readonly path: string
  readonly size: number
  readonly bytes: Buffer
  readonly ends: Uint32Array
  /** The same bytes in memory that the kernel of `lines()` can scan, one block after the other. */
  readonly blocks: readonly { readonly slab: Slab; readonly length: number }[]
  /** Room for the line ends of a block. */
  readonly room: Slab = Slab.take(BLOCK_SIZE)

  constructor({ path, size, lines }: Log) {
    this.path = path
    this.size = size
    this.bytes = readFileSync(path)
    this.ends = new Uint32Array(lines)
    let end = -1
    for (let i = 0; i < lines; i++) this.ends[i] = end = this.bytes.indexOf(NEWLINE, end + 1)
    this.blocks = Array.from({ length: Math.ceil(size / BLOCK_SIZE) }, (_, i) => {
      const slab = Slab.take(BLOCK_SIZE)
      return { slab, length: this.bytes.copy(slab.bytes(), 0, i * BLOCK_SIZE) }
    })
  }

  firstLines(count: number): string[] {
    const lines = Math.min(count, this.ends.length)
    return this.bytes.toString('latin1', 0, this.ends[lines - 1]).split('\n')
  }
}

interface LinesCost {
  readonly what: string
  readonly work: (log: LoadedLog) => void | Promise<void>
}

export const LINES_COSTS: readonly LinesCost[] = [
  { what: 'reading from the page cache: `readSync`, blocks of 1 MiB', work: readBlocks },
  { what: 'reading by the thread pool: `createReadStream`, blocks of 1 MiB', work: readStream },
  { what: 'finding line ends: `Buffer.indexOf` for each line', work: findEnds },
  { what: 'finding line ends: the kernel of `lines()`, offsets stored, blocks of 512 KiB', work: findEndsByKernel },
  { what: 'cutting lines: `indexOf` and `toString` for each', work: cutEachLine },
  { what: 'cutting lines: a string for each 2 KiB, `slice` by known offsets', work: cutPieces },
]

function readBlocks({ path, size }: LoadedLog): void {
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  const file = openSync(path, 'r')
  try {
    let total = 0
    for (let read; (read = readSync(file, block)) > 0;) total += read
    expectEqual(total, size)
  } finally {
    closeSync(file)
  }
}

async function readStream({ path, size }: LoadedLog): Promise<void> {
  let total = 0
  for await (const block of createReadStream(path, { highWaterMark: BLOCK_BYTES })) total += (block as Buffer).length
  expectEqual(total, size)
}

function findEnds({ bytes, ends }: LoadedLog): void {
  let count = 0
  for (let end = -1; (end = bytes.indexOf(NEWLINE, end + 1)) !== -1; count++);
  expectEqual(count, ends.length)
}

function findEndsByKernel({ blocks, room, ends }: LoadedLog): void {
  let count = 0
  for (const { slab, length } of blocks) {
    const found = findByte(slab, slab.start, slab.start + length, NEWLINE, { slab: room, at: room.start })
    expectEqual(found.scanned, length)
    count += found.count
  }
  expectEqual(count, ends.length)
}

function cutEachLine({ bytes, ends, size }: LoadedLog): void {
  let characters = 0
  for (let from = 0, to; (to = bytes.indexOf(NEWLINE, from)) !== -1; from = to + 1) {
    characters += bytes.toString('latin1', from, to).length
  }
  expectEqual(characters, size - ends.length)
}

function cutPieces({ bytes, ends, size }: LoadedLog): void {
  let characters = 0
  let line = 0
  for (let begin = 0; begin < size;) {
    let last = line
    while (last + 1 < ends.length && (ends[last + 1] ?? 0) < begin + PIECE_BYTES) last++
    const stop = (ends[last] ?? 0) + 1
    const text = bytes.toString('latin1', begin, stop)
    for (let from = 0; line <= last; line++) {
      const to = (ends[line] ?? 0) - begin
      characters += text.slice(from, to).length
      from = to + 1
    }
    begin = stop
  }
  expectEqual(characters, size - ends.length)
}

function expectEqual(found: number, expected: number): void {
  if (found !== expected) throw new Error(`Cannot measure as the work gave ${found}: expected ${expected}`)
}
