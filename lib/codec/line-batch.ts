/** A batch of lines: bytes in shared memory, and how many lines they are. Other files fill the memory. */
import type { Batch } from './batch.js'
import type { Packed } from './codec.js'
import { allLines, type LineData } from './line-data.js'
import { LineEnd } from './line-end.js'
import type { LineFormat } from './split.js'

/**
 * Memory that several batches refer to. It is shared, not transferred: nothing is copied, and a batch can be sent again
 * after a worker has failed.
 */
export interface LineMemory {
  /** All of it, as a view of a SharedArrayBuffer. */
  readonly bytes: Buffer<SharedArrayBuffer>
  /** One more refers to it. */
  retain(): void
  /** One less does; after the last, the memory is used again. */
  release(): void
}

/** Whole lines that stand together in memory, which the owner of the segment has retained. */
export interface HeldSegment {
  readonly memory: LineMemory
  readonly start: number
  readonly end: number
}

/**
 * Every batch refers to its memory by itself, a slice too: each is to be released, and its memory lives until then. One
 * that is dropped instead costs no more than the memory's being allocated anew.
 */
export class LineBatch implements Batch {
  readonly #format: LineFormat
  #length: number
  #segments: HeldSegment[]

  /** The batch owns the segments, and what they retain. Batches of one source have the same format object. */
  constructor(format: LineFormat, length: number, segments: HeldSegment[]) {
    this.#format = format
    this.#length = length
    this.#segments = segments
  }

  get length(): number {
    return this.#length
  }

  values(): string[] {
    return allLines(this.#data())
  }

  pack(): Packed & { readonly data: LineData } {
    const bytes = this.#segments.reduce((sum, { start, end }) => sum + end - start, 0)
    return { data: this.#data(), transfer: [], bytes }
  }

  /** Counts lines from the first on, in tens of nanoseconds each: it is for the rare batch that must be cut. */
  slice(start: number, end: number): LineBatch {
    const parts: HeldSegment[] = []
    const lineEnd = new LineEnd(this.#format.delimiter)
    let line = 0
    for (const segment of this.#segments) {
      const block = viewOf(segment)
      let from = 0
      for (; line < start && from < block.length; line++) from = lineEnd.after(block, from)
      let to = from
      for (; line < end && to < block.length; line++) to = lineEnd.after(block, to)
      if (to > from) parts.push(held(segment.memory, segment.start + from, segment.start + to))
      if (line >= end) break
    }
    return new LineBatch(this.#format, Math.max(0, line - start), parts)
  }

  join(next: Batch): this | undefined {
    if (!(next instanceof LineBatch) || next.#format !== this.#format) return undefined
    for (const segment of next.#segments) this.#append(segment)
    this.#length += next.#length
    next.#segments = []
    return this
  }

  forget(): void {
    // Some of the bytes cannot be given back without the others.
  }

  release(): void {
    for (const { memory } of this.#segments) memory.release()
    this.#segments = []
  }

  #append(segment: HeldSegment): void {
    const last = this.#segments.at(-1)
    const { memory, start, end } = segment
    // Many short batches of a slow source become one segment, unless a line without end would run into the next.
    if (last?.memory === memory && last.end === start && new LineEnd(this.#format.delimiter).isAtEnd(viewOf(last))) {
      this.#segments[this.#segments.length - 1] = { memory, start: last.start, end }
      memory.release()
    } else {
      this.#segments.push(segment)
    }
  }

  #data(): LineData {
    const segments = this.#segments.map(({ memory, start, end }) => ({ memory: memory.bytes.buffer, start, end }))
    return { kind: 'lines', format: this.#format, count: this.#length, segments }
  }
}

function held(memory: LineMemory, start: number, end: number): HeldSegment {
  memory.retain()
  return { memory, start, end }
}

function viewOf({ memory, start, end }: HeldSegment): Buffer {
  return memory.bytes.subarray(start, end)
}
