/** Messages between processes, in pieces of any size. */
import { encodeFrame, FrameError, FrameReader } from '#dist/codec/frame.js'
import { randomOf } from '../support/random.js'

function read(pieces: Iterable<Buffer>): unknown[] {
  const messages: unknown[] = []
  const reader = new FrameReader((message) => messages.push(message))
  for (const piece of pieces) reader.push(piece)
  return messages
}

const messages = [
  1,
  'text',
  { list: [1, , 3], at: new Date(5) },
  new Uint8Array(70_000).fill(3),
  undefined,
  new Map([[1, -0]]),
]

describe('frames', () => {
  it('arrive whole and in order, however the pipe cuts them', () => {
    const bytes = Buffer.concat(messages.map(encodeFrame))
    expect(read([bytes])).toEqual(messages)
    for (let seed = 1; seed <= 30; seed++) {
      const random = randomOf(seed)
      const pieces: Buffer[] = []
      for (let at = 0; at < bytes.length;) {
        const size = 1 + Math.floor(random() ** 4 * 40_000)
        pieces.push(bytes.subarray(at, (at += size)))
      }
      expect(read(pieces)).toEqual(messages)
    }
    const small = Buffer.concat([encodeFrame('a'), encodeFrame([2])])
    expect(read(Array.from(small, (byte) => Buffer.from([byte])))).toEqual(['a', [2]])
  })

  it('are told from anything else at once', () => {
    for (const junk of ['a line of text\n', '\0\0\0\0\0\0\0\0', '{"type":"message"}']) {
      expect(() => read([encodeFrame(1), Buffer.from(junk)])).toThrow(FrameError)
    }
  })

  it('refuse what structured clone refuses, and shared memory', () => {
    for (const value of [
      () => 1,
      Symbol('s'),
      new SharedArrayBuffer(8),
      new Int32Array(new SharedArrayBuffer(8)),
      new Blob([]),
    ]) {
      expect(() => encodeFrame([value])).toThrow('could not be cloned')
    }
  })

  it('take nothing after the reader was cleared', () => {
    const found: unknown[] = []
    const reader = new FrameReader((message) => found.push(message))
    reader.clear()
    reader.push(encodeFrame(1))
    expect(found).toEqual([])
  })
})
