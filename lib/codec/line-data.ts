/**
 * Lines as a message carries them: where their bytes are in shared memory. Splitting and decoding is left to the thread
 * that receives them. The owner of the memory is in line-batch.ts.
 */
import { LineEnd } from './line-end.js'
import { LineSplitter, type LineFormat } from './split.js'

/** Whole lines that stand together: the bytes from `start` up to `end`. */
export interface LineSegment {
  readonly memory: SharedArrayBuffer
  readonly start: number
  readonly end: number
}

/** Can be cloned; the memory goes by reference. */
export interface LineData {
  readonly kind: 'lines'
  readonly format: LineFormat
  readonly count: number
  readonly segments: readonly LineSegment[]
}

/** Gives the lines one by one, each decoded when it is asked for: call it `count` times at most. */
export function lineCursor(data: LineData): () => string {
  const splitter = new LineSplitter(data.format)
  const pieces = piecesOf(data.segments, new LineEnd(data.format.delimiter))
  return () => {
    for (;;) {
      const line = splitter.next()
      if (line !== undefined) return line
      const piece = pieces.next()
      if (piece.done) throw new RangeError(`Cannot read a line as all have been read: ${data.count}`)
      splitter.feed(piece.value)
    }
  }
}

export function allLines(data: LineData): string[] {
  const next = lineCursor(data)
  return Array.from({ length: data.count }, next)
}

/** As large as fits the cache nearest but one to the core. */
const SCRATCH_SIZE = 64 * 1024

/** Memory that no cursor uses. A cursor takes it while it has lines, so a second one has its own memory. */
let spare: Buffer | undefined

/**
 * The bytes of the segments, in pieces of whole lines. They are copied, because Node finds a line end in ordinary
 * memory in a third of the time that it takes in shared memory. A line longer than a piece stays where it is.
 */
function* piecesOf(segments: readonly LineSegment[], lineEnd: LineEnd): Generator<Buffer, void, void> {
  const scratch = spare ?? Buffer.allocUnsafeSlow(SCRATCH_SIZE)
  spare = undefined
  for (const { memory, start, end } of segments) {
    let at = start
    while (at < end) {
      const size = Math.min(SCRATCH_SIZE, end - at)
      // Not `copy()`: from shared memory that goes byte by byte, unless source and target happen to be aligned alike.
      scratch.fill(Buffer.from(memory, at, size), 0, size)
      const cut = at + size < end ? lineEnd.findCut(scratch.subarray(0, size)) : size
      yield cut > 0 ? scratch.subarray(0, cut) : Buffer.from(memory, at, end - at)
      at += cut > 0 ? cut : end - at
    }
  }
  spare = scratch
}
