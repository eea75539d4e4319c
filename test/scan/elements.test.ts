/** The ends of elements of an array of JSON: the kernel, its definition in JavaScript, and whole documents. */
import fc from 'fast-check'
import {
  ARRAY_START,
  findElements,
  findElementsSlowly,
  type ElementsFound,
  type ElementState,
} from '#dist/scan/elements.js'
import { BLOCK_SIZE, openKernel, Slab } from '#dist/scan/memory.js'
import type { EndsRoom } from '#dist/scan/scan.js'
import { times } from '../support/volume.js'

type Find = typeof findElements

let text: Slab
let ends: Slab
beforeAll(() => {
  text = Slab.take(BLOCK_SIZE)
  ends = Slab.take(64 * 1024)
})
afterAll(() => {
  text.release()
  ends.release()
})

/** Scans bytes in pieces, with so much room for ends at a time. What was found is put together. */
function scanned(find: Find, bytes: Buffer, before: number, cuts: readonly number[], most: number) {
  const from = text.start + before
  // Around them stands what must not be found.
  text.bytes().fill(',', 0, before + bytes.length + 100)
  text.bytes().set(bytes, before)
  const room: EndsRoom = { slab: ends, at: ends.start + ends.size - 4 * most }
  const bounds = [...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  const all = { ends: [] as number[], newlines: 0, isAscii: true, scanned: 0, stop: undefined as ElementsFound['stop'] }
  let state: ElementState = ARRAY_START
  for (const to of bounds) {
    while (all.scanned < to && all.stop === undefined) {
      const found = find(text, from + all.scanned, from + to, state, room)
      // It stops early only for lack of room for one more step, or at the end.
      if (all.scanned + found.scanned < to && found.stop === undefined) expect(found.count).toBeGreaterThan(most - 64)
      const positions = new Uint32Array(room.slab.buffer, room.at, found.count)
      all.ends.push(...Array.from(positions, (end) => end - from))
      all.newlines += found.newlines
      all.isAscii &&= found.isAscii
      all.scanned += found.scanned
      all.stop = found.stop
      state = found.state
    }
  }
  return { ...all, state }
}

const TOKENS = [
  '"',
  '"',
  '\\',
  '\\',
  ',',
  ',',
  '{',
  '}',
  '[',
  ']',
  '\n',
  ' ',
  'a',
  '0',
  'é',
  '\u0000',
  '\x7f',
  '|',
  '\u00fb',
]
const token = fc.tuple(fc.constantFrom(...TOKENS), fc.constantFrom(1, 1, 1, 1, 2, 3, 7, 40, 63, 64, 65))
const anyBytes = fc
  .array(token, { maxLength: 60 })
  .map((tokens) => Buffer.from(tokens.map(([value, count]) => value.repeat(count)).join('')))
const rawBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const cutsOf = fc.array(fc.nat(400), { maxLength: 6 })

/** The texts of the elements of an array, cut at the ends. */
function elementsOf(bytes: Buffer, found: readonly number[]): string[] {
  return found.map((end, index) => bytes.toString('utf8', index === 0 ? 0 : found[index - 1], end - 1))
}

describe('the ends of elements', () => {
  it('are found by the kernel here', () => {
    expect(openKernel()).not.toBeNull()
    expect([text.isScannable, ends.isScannable]).toEqual([true, true])
  })

  it('are the same from the kernel as by definition, in any bytes, cut anywhere, with any room', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyBytes, rawBytes),
        fc.nat(100),
        cutsOf,
        fc.integer({ min: 64, max: 200 }),
        (bytes, before, cuts, most) => {
          const expected = scanned(findElementsSlowly, bytes, before, [], 5000)
          expect(scanned(findElements, bytes, before, cuts, most)).toEqual(expected)
          expect(scanned(findElementsSlowly, bytes, before, cuts, most)).toEqual(expected)
        },
      ),
      { numRuns: times(1500, 30_000) },
    )
  })

  for (const [name, find] of Object.entries({ kernel: findElements, JavaScript: findElementsSlowly })) {
    it(`are those of the elements of any array: ${name}`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.jsonValue(), { maxLength: 8 }),
          fc.constantFrom(undefined, 1, '\t'),
          cutsOf,
          (values, space, cuts) => {
            const json = JSON.stringify(values, undefined, space)
            // Behind the array stands what would be found in it.
            const bytes = Buffer.from(`${json.slice(1)},"[{`)
            const found = scanned(find, bytes, 0, cuts, 500)
            expect(found).toMatchObject({ stop: 'closed', scanned: Buffer.byteLength(json) - 1, state: ARRAY_START })
            expect(found.newlines).toBe(json.split('\n').length - 1)
            const texts = elementsOf(bytes, found.ends)
            if (values.length > 0) expect(texts.map((text) => JSON.parse(text) as unknown)).toEqual(JSON.parse(json))
            else expect(texts).toEqual([''])
          },
        ),
        { numRuns: times(300, 3000) },
      )
    })

    it(`are told apart from what stands in strings and in deeper arrays: ${name}`, () => {
      const bytes = Buffer.from(String.raw`"a,]\"," , [1,{"x":[2,3]}] ,"\\" ,"}{][", {"k\\":"\\\",",  "z":[]},5]`)
      expect(elementsOf(bytes, scanned(find, bytes, 0, [], 100).ends)).toEqual([
        String.raw`"a,]\","` + ' ',
        ' [1,{"x":[2,3]}] ',
        String.raw`"\\" `,
        '"}{]["',
        String.raw` {"k\\":"\\\",",  "z":[]}`,
        '5',
      ])
    })

    it(`stop before a brace that closes nothing: ${name}`, () => {
      const bytes = Buffer.from('{"a":1},2},3]')
      expect(scanned(find, bytes, 0, [], 100)).toMatchObject({ ends: [8], scanned: 9, stop: 'brace' })
    })

    it(`are found however deep an element is: ${name}`, () => {
      const depth = 200_000
      const bytes = Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)},1]`)
      expect(scanned(find, bytes, 0, [1000, 100_001, 399_999], 100)).toMatchObject({
        ends: [2 * depth + 1, 2 * depth + 3],
        stop: 'closed',
      })
    })
  }
})
