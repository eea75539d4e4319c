/** The kernel that finds bytes, its twin in JavaScript, and the memory that both work on. */
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { BLOCK_SIZE, openKernel, Slab } from '#dist/scan/memory.js'
import { findByte, findByteSlowly, findWith, type EndsRoom, type Found } from '#dist/scan/scan.js'
import { collected } from '../support/collect.js'
import { times } from '../support/volume.js'

/** This file is in build/test/scan/. */
const root = new URL('../../../', import.meta.url)

/** A model: the ends and figures of bytes, found one by one. At most `room` ends. */
function model(bytes: Buffer, byte: number, room: number): { ends: number[]; scanned: number } {
  const ends: number[] = []
  for (const [at, found] of bytes.entries()) {
    if (ends.length === room) return { ends, scanned: at }
    if (found === byte) ends.push(at + 1)
  }
  return { ends, scanned: bytes.length }
}

describe('finding bytes', () => {
  const find = { kernel: findByte, JavaScript: findByteSlowly }
  let text: Slab
  let ends: Slab
  beforeAll(async () => {
    // Test files before this one may have dropped slabs until there was no more memory for the kernel.
    await collected(() => {
      const slab = Slab.take(BLOCK_SIZE)
      slab.release()
      return slab.isScannable
    })
    text = Slab.take(BLOCK_SIZE)
    ends = Slab.take(64 * 1024)
  })
  afterAll(() => {
    text.release()
    ends.release()
  })

  /** The ends from the beginning of the bytes on. */
  function endsOf(found: Found, room: EndsRoom, from: number): number[] {
    return Array.from(new Uint32Array(room.slab.buffer, room.at, found.count), (end) => end - from)
  }

  it('is done by the kernel here', () => {
    expect(openKernel()).not.toBeNull()
    expect([text.isScannable, ends.isScannable]).toEqual([true, true])
  })

  for (const [name, findIt] of Object.entries(find)) {
    it(`finds what a model finds, with any bytes, places and room: ${name}`, () => {
      const byte = fc.constantFrom(10, 13, 0, 59, 97, 128, 195, 255)
      const piece = fc.tuple(fc.constantFrom(10, 10, 13, 0, 59, 97, 98, 128, 195, 255), fc.integer({ min: 1, max: 90 }))
      fc.assert(
        fc.property(
          fc.array(piece, { maxLength: 30 }),
          byte,
          fc.nat(100),
          fc.integer({ min: 64, max: 400 }),
          (pieces, wanted, before, most) => {
            const bytes = Buffer.concat(pieces.map(([value, length]) => Buffer.alloc(length, value)))
            const from = text.start + before
            // Around them stands what must not be found.
            text.bytes().fill(wanted, 0, before + bytes.length + 100)
            text.bytes().set(bytes, before)
            const room = { slab: ends, at: ends.start + ends.size - 4 * most }
            const found = findIt(text, from, from + bytes.length, wanted, room)
            const expected = model(bytes.subarray(0, found.scanned), wanted, Infinity)
            expect(endsOf(found, room, from)).toEqual(expected.ends)
            const seen = bytes.subarray(0, found.scanned)
            expect(found.isAscii).toBe(seen.every((value) => value < 128))
            expect(found.hasReturns).toBe(seen.includes(13))
            // It stops early only for lack of room for one more step.
            if (found.scanned < bytes.length) expect(found.count).toBeGreaterThan(most - 64)
          },
        ),
        { numRuns: times(300, 3000) },
      )
    })

    it(`finds all by going on where it stopped: ${name}`, () => {
      const bytes = Buffer.alloc(100_000, '\n\nab\n')
      text.bytes().set(bytes)
      const all: number[] = []
      for (let at = 0; at < bytes.length;) {
        const room = { slab: ends, at: ends.start }
        const found = findIt(text, text.start + at, text.start + bytes.length, 10, room)
        expect(found.scanned).toBeGreaterThan(0)
        all.push(...endsOf(found, room, text.start))
        at += found.scanned
      }
      expect(all).toEqual(model(bytes, 10, Infinity).ends)
    })
  }

  it('finds records by any function, up to the room that there is', () => {
    const block = Buffer.from('a--b--c')
    const room = { slab: ends, at: ends.start + ends.size - 4 }
    const find = (start: number) => (block.indexOf('--', start) < 0 ? 0 : block.indexOf('--', start) + 2)
    expect(findWith(find, block, 100, room)).toMatchObject({ scanned: 3, count: 1 })
    expect(endsOf(findWith(find, block, 100, room), room, 100)).toEqual([3])
    const more = { slab: ends, at: ends.start }
    expect(findWith(find, block, 100, more)).toMatchObject({ scanned: 7, count: 2, isAscii: true })
    expect(endsOf(findWith(find, block, 100, more), more, 100)).toEqual([3, 6])
  })

  it('is the same machine code as its source, as all kernels are', async () => {
    interface Kernel {
      readonly target: string
    }
    const { KERNELS, kernelModule } = (await import(new URL('scripts/build-kernel.js', root).href)) as {
      KERNELS: readonly Kernel[]
      kernelModule: (kernel: Kernel) => Promise<string>
    }
    expect(KERNELS.map(({ target }) => target)).toEqual(['kernel.ts', 'members-kernel.ts'])
    for (const kernel of KERNELS)
      expect(await readFile(new URL(`lib/scan/${kernel.target}`, root), 'utf8')).toBe(await kernelModule(kernel))
  })
})

describe('slabs', () => {
  it('are used again when nothing refers to them', () => {
    const slab = Slab.take(BLOCK_SIZE)
    const { buffer, start } = slab
    slab.retain()
    slab.release()
    const other = Slab.take(BLOCK_SIZE)
    expect([other.buffer, other.start]).not.toEqual([buffer, start])
    slab.release()
    expect(Slab.take(BLOCK_SIZE).start).toBe(start)
    other.release()
  })

  it('are found by bytes in them', () => {
    for (const size of [64 * 1024, BLOCK_SIZE, 3 * BLOCK_SIZE]) {
      const slab = Slab.take(size)
      expect(slab.size).toBeGreaterThanOrEqual(size)
      expect(Slab.of(slab.bytes())).toBe(slab)
      expect(Slab.of(slab.bytes().subarray(size - 1))).toBe(slab)
      slab.release()
    }
    expect(Slab.of(Buffer.alloc(10))).toBeUndefined()
    expect(Slab.of(Buffer.from(new SharedArrayBuffer(10)))).toBeUndefined()
  })

  it('give their memory back when they were dropped and not released', async () => {
    const taken = new Set<number>()
    for (let i = 0; i < 20; i++) taken.add(Slab.take(BLOCK_SIZE).start)
    expect(taken.size).toBe(20)
    const kept: Slab[] = []
    // Other tests have dropped slabs, too. So it takes all that have come back, until the memory has to grow.
    let highest = Math.max(...taken)
    const isOneBack = (): boolean => {
      for (;;) {
        const slab = Slab.take(BLOCK_SIZE)
        kept.push(slab)
        if (taken.has(slab.start)) return true
        if (slab.start > highest || !slab.isScannable) {
          highest = slab.start
          return false
        }
      }
    }
    expect(await collected(isOneBack)).toBe(true)
    for (const slab of kept) slab.release()
  })
})
