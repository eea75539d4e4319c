/** The work of the bare worker threads: pure functions of one part of the input. They do not use the library. */
import { readSync } from 'node:fs'
import { parse } from '../work/parse.js'
import { spin } from '../work/spin.js'
import { add, type Totals } from '../work/totals.js'

/** The file of an access log, cut at line ends: part `i` is from byte `cuts[i]` to `cuts[i + 1]`. */
export interface FileParts {
  readonly path: string
  readonly cuts: Float64Array
}

/** A range of numbers, cut into parts of `size`. */
export interface NumberParts {
  readonly count: number
  readonly size: number
}

/**
 * The size of a string from which lines are sliced: the fastest of 2 KiB to 1 MiB. V8 puts strings above 128 KiB into
 * the space for large objects.
 */
export const PIECE_BYTES = 1 << 16
const NEWLINE = 10

let block = Buffer.alloc(0)

/** Calls `each` with every line of a part. One read, one string for each piece, and a slice of it for each line. */
export function eachLineOfPart(file: number, { cuts }: FileParts, part: number, each: (line: string) => void): void {
  const [start = 0, end = 0] = cuts.subarray(part, part + 2)
  const size = end - start
  if (block.length < size) block = Buffer.allocUnsafeSlow(size)
  for (let read = 0; read < size;) read += readSync(file, block, read, size - read, start + read)
  for (let begin = 0, stop = 0; begin < size; begin = stop) {
    stop = size - begin <= PIECE_BYTES ? size : block.lastIndexOf(NEWLINE, begin + PIECE_BYTES - 1) + 1
    const text = block.toString('latin1', begin, stop)
    for (let from = 0, to = 0; (to = text.indexOf('\n', from)) !== -1; from = to + 1) each(text.slice(from, to))
  }
}

/** Parses every line of a part to a record, and adds it up. */
export function tallyPart(file: number, parts: FileParts, part: number, totals: Totals): void {
  eachLineOfPart(file, parts, part, (line) => add(totals, parse(line)))
}

/** Parses every line of a part to a record, and keeps its two numbers: status and bytes. */
export function parsePart(file: number, parts: FileParts, part: number): Float64Array<ArrayBuffer> {
  const numbers: number[] = []
  eachLineOfPart(file, parts, part, (line) => {
    const { status, bytes } = parse(line)
    numbers.push(status, bytes)
  })
  return Float64Array.from(numbers)
}

export function rootPart({ count, size }: NumberParts, part: number): Float64Array<ArrayBuffer> {
  const start = part * size
  const roots = new Float64Array(Math.min(size, count - start))
  for (let i = 0; i < roots.length; i++) roots[i] = Math.sqrt(start + i)
  return roots
}

/** `spins()` of `work/spin.ts` makes the same items. */
export function spinPart({ count, size }: NumberParts, steps: number, part: number): Float64Array<ArrayBuffer> {
  const start = part * size
  const results = new Float64Array(Math.min(size, count - start))
  for (let i = 0; i < results.length; i++) results[i] = spin(steps + ((start + i) % 64))
  return results
}
