import { isAscii } from 'node:buffer'
import fc from 'fast-check'
import { Items } from '#dist/codec/batch.js'
import type { LineFormat } from '#dist/codec/records/format.js'
import { RecordBatch, type HeldSegment, type RecordMemory } from '#dist/codec/records/record-batch.js'
import { allRecords, recordCursor } from '#dist/codec/records/record-data.js'
import { times } from '../support/volume.js'

const UTF8: LineFormat = { kind: 'lines', encoding: 'utf8' }
const LATIN1: LineFormat = { kind: 'lines', encoding: 'latin1' }

/** Memory that counts its references; it holds text and where the lines of its segments end. */
class Memory implements RecordMemory {
  readonly bytes: Buffer<SharedArrayBuffer>
  readonly #ends = new Uint32Array(new SharedArrayBuffer(4 * 1_000))
  #used = 0
  references = 0

  constructor(text: string) {
    const bytes = Buffer.from(text)
    this.bytes = Buffer.from(new SharedArrayBuffer(bytes.length))
    this.bytes.set(bytes)
  }

  retain(): void {
    this.references++
  }

  release(): void {
    this.references--
  }

  /** The lines from `start` up to `end`. */
  segment(start = 0, end = this.bytes.length): HeldSegment {
    // For the bytes and for the ends.
    this.references += 2
    const first = this.#used
    for (let at = start; at < end; at++) if (this.bytes[at] === 10) this.#ends[this.#used++] = at + 1
    const isOpen = this.bytes[end - 1] !== 10
    if (isOpen) this.#ends[this.#used++] = end + 1
    const text = this.bytes.subarray(start, end)
    return {
      format: UTF8,
      file: undefined,
      record: first + 1,
      offset: start,
      line: undefined,
      lineAt: 0,
      memory: this.bytes.buffer,
      start,
      end,
      ends: this.#ends.buffer,
      endsAt: 4 * first,
      count: this.#used - first,
      isAscii: isAscii(text),
      hasReturns: text.includes(13),
      isOpen,
      bytesIn: this,
      endsIn: this,
    }
  }
}

function linesOf(format: LineFormat, segments: readonly HeldSegment[]): RecordBatch {
  return new RecordBatch(segments.map((segment) => ({ ...segment, format })))
}

/** A batch of lines in its own memory. */
function batchOf(text: string): { batch: RecordBatch; memory: Memory } {
  const memory = new Memory(text)
  return { batch: linesOf(UTF8, [memory.segment()]), memory }
}

/** The lines as a worker gets them. */
const received = (batch: RecordBatch) => allRecords(structuredClone(batch.pack().data))

describe('a batch of lines', () => {
  it('gives its lines here, and from its posted message, again and again', () => {
    const { batch } = batchOf('one\r\n\nzwö\n€')
    for (let i = 0; i < 2; i++) {
      expect(batch.values()).toEqual(['one', '', 'zwö', '€'])
      expect(received(batch)).toEqual(['one', '', 'zwö', '€'])
    }
    expect(batch.length).toBe(4)
  })

  it('posts its memory by reference, with the size of the lines', () => {
    const memory = new Memory('--one\ntwo\n--')
    const { data, transfer, bytes } = linesOf(UTF8, [memory.segment(2, 10)]).pack()
    const clone = structuredClone(data)
    memory.bytes.write('ONE', 2)
    expect(allRecords(clone)).toEqual(['ONE', 'two'])
    expect(transfer).toEqual([])
    expect(bytes).toBe(8)
  })

  it('is decoded in its encoding, alike in ASCII and other segments', () => {
    const [ascii, other] = [new Memory('one\n'), new Memory('\xe4\n\u20ac\n')]
    const segments = () => [ascii.segment(), other.segment(), ascii.segment()]
    expect(received(linesOf(UTF8, segments()))).toEqual(['one', '\xe4', '\u20ac', 'one'])
    expect(received(linesOf(LATIN1, segments()))).toEqual(['one', '\xc3\xa4', '\xe2\x82\xac', 'one'])
  })

  it('can be read line by line, and no further', () => {
    const { next } = recordCursor(batchOf('one\ntwo').batch.pack().data)
    expect([next(), next()]).toEqual(['one', 'two'])
    expect(next).toThrow('Cannot read a record as all have been read: 2')
  })
})

describe('a batch of lines that is cut or joined', () => {
  it('gives its lines after every sequence of calls, and refers to its memory until it is released', () => {
    const line = fc.constantFrom('', 'a', 'bc', 'ä€', '\r', 'x'.repeat(300))
    const piece = fc.tuple(fc.array(line, { minLength: 1, maxLength: 5 }), fc.boolean())
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), fc.nat(12), fc.nat(12), (pieces, a, b) => {
        const texts = pieces.map(([lines, ended]) => lines.join('\n') + (ended || lines.at(-1) === '' ? '\n' : ''))
        const memory = new Memory(texts.join(''))
        let at = 0
        const batches = texts.map((text) => {
          const start = at
          at += Buffer.byteLength(text)
          return linesOf(UTF8, [memory.segment(start, at)])
        })
        const expected = pieces.flatMap(([lines, ended]) =>
          // A `\r` is part of the line end. If the last line has no end, it is part of that line.
          lines.map((text, i) => (i < lines.length - 1 || ended ? text.replace(/\r$/, '') : text)),
        )
        const joined = batches.reduce((all, batch) => all.join(batch) ?? all)
        expect(received(joined)).toEqual(expected)
        expect(joined.length).toBe(expected.length)
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        const part = joined.slice(start, end)
        joined.release()
        expect(received(part)).toEqual(expected.slice(start, end))
        expect(part.length).toBe(expected.slice(start, end).length)
        expect(memory.references > 0).toBe(part.length > 0)
        for (const batch of [part, joined, ...batches]) {
          batch.release()
          batch.release()
        }
        expect(memory.references).toBe(0)
      }),
      { numRuns: times(100, 500) },
    )
  })

  it('is one segment where the lines stand one behind the other', () => {
    const memory = new Memory('one\ntwo\nthree\n')
    const batches = [memory.segment(0, 4), memory.segment(4, 8), memory.segment(8, 14)].map((segment) =>
      linesOf(UTF8, [segment]),
    )
    const joined = batches.reduce((all, batch) => all.join(batch) ?? all)
    expect(joined.pack().data.segments).toMatchObject([{ memory: memory.bytes.buffer, start: 0, count: 3 }])
    expect(received(joined)).toEqual(['one', 'two', 'three'])
    expect(memory.references).toBe(2)
  })

  it('never runs a line without end into the line behind it', () => {
    const memory = new Memory('onetwo')
    const [first, second] = [memory.segment(0, 3), memory.segment(3)].map((held) => linesOf(UTF8, [held]))
    expect(first && second && first.join(second) && received(first)).toEqual(['one', 'two'])
  })

  it('joins only records, each read in its own format', () => {
    const { batch } = batchOf('one\n')
    expect(batch.join(new Items(['two']))).toBeUndefined()
    expect(new Items(['two']).join(batch)).toBeUndefined()
    const joined = batch.join(linesOf(LATIN1, [new Memory('ä\n').segment()]))
    expect(joined && received(joined)).toEqual(['one', 'Ã¤'])
  })
})
