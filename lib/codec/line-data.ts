/**
 * Lines as a message carries them: where their bytes are in shared memory, and where each line ends. The thread that receives them
 * decodes them. What owns the memory is in line-batch.ts.
 */
import { LineDecoder, type LineFormat, type LineSegment } from './line-decoder.js'

/** Can be cloned; the memory goes by reference. */
export interface LineData {
  readonly kind: 'lines'
  readonly format: LineFormat
  readonly count: number
  readonly segments: readonly LineSegment[]
}

/** Gives the lines one by one, each decoded when it is asked for: call it `count` times at most. */
export function lineCursor({ format, count, segments }: LineData): () => string {
  const decoder = new LineDecoder(format)
  let segment = 0
  return () => {
    for (;;) {
      const line = decoder.next()
      if (line !== undefined) return line
      const next = segments[segment++]
      if (next === undefined) throw new RangeError(`Cannot read a line as all have been read: ${count}`)
      decoder.feed(next)
    }
  }
}

export function allLines(data: LineData): string[] {
  const next = lineCursor(data)
  return Array.from({ length: data.count }, next)
}
