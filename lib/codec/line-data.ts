/**
 * Lines as a message carries them: where their bytes are in shared memory. Splitting and decoding is left to the thread
 * that receives them. What owns the memory is in line-batch.ts.
 */
import { LineSplitter, type Encoding } from './split.js'

/** Whole lines that stand together: the bytes from `start` up to `end`. */
export interface LineSegment {
  readonly memory: SharedArrayBuffer
  readonly start: number
  readonly end: number
}

/** Can be cloned; the memory goes by reference. */
export interface LineData {
  readonly kind: 'lines'
  readonly encoding: Encoding
  /** How many lines there are in all segments. */
  readonly count: number
  readonly segments: readonly LineSegment[]
}

/** Gives the lines one by one, each decoded when it is asked for: call it `count` times at most. */
export function lineCursor(data: LineData): () => string {
  const splitter = new LineSplitter(data.encoding)
  let next = 0
  return () => {
    for (;;) {
      const line = splitter.next()
      if (line !== undefined) return line
      const segment = data.segments[next++]
      if (segment === undefined) throw new RangeError(`Cannot read a line as all have been read: ${data.count}`)
      splitter.feed(Buffer.from(segment.memory, segment.start, segment.end - segment.start))
    }
  }
}

export function allLines(data: LineData): string[] {
  const next = lineCursor(data)
  return Array.from({ length: data.count }, next)
}
