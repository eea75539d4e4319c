/**
 * Properties of the search for elements of JSON arrays: the automaton is the definition, and the kernel must find the same. Tests
 * check them for some cases, and `npm run stress -- json` for a given time.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  ARRAY_START,
  findElements,
  findElementsSlowly,
  type ElementsFound,
  type ElementState,
} from '#dist/scan/elements.js'
import { BLOCK_SIZE, Slab } from '#dist/scan/memory.js'
import type { EndsRoom } from '#dist/scan/scan.js'

export type Find = typeof findElements

export const text = Slab.take(BLOCK_SIZE)
export const ends = Slab.take(64 * 1024)

/** Scans bytes in pieces, with so much room for ends at a time. What was found is put together. */
export function scanned(find: Find, bytes: Buffer, before: number, cuts: readonly number[], most: number) {
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
      if (all.scanned + found.scanned < to && found.stop === undefined) assert.ok(found.count > most - 64)
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
export function elementsOf(bytes: Buffer, found: readonly number[]): string[] {
  return found.map((end, index) => bytes.toString('utf8', index === 0 ? 0 : found[index - 1], end - 1))
}

/** The kernel and its definition. */
export const FINDS = { kernel: findElements, JavaScript: findElementsSlowly }

const arrays = fc.tuple(fc.array(fc.jsonValue(), { maxLength: 8 }), fc.constantFrom(undefined, 1, '\t'), cutsOf)

export const PROPERTIES = {
  'are the same from the kernel as by definition, in any bytes, cut anywhere, with any room': fc.property(
    fc.oneof(anyBytes, rawBytes),
    fc.nat(100),
    cutsOf,
    fc.integer({ min: 64, max: 200 }),
    (bytes, before, cuts, most) => {
      const expected = scanned(findElementsSlowly, bytes, before, [], 5000)
      assert.deepEqual(scanned(findElements, bytes, before, cuts, most), expected)
      assert.deepEqual(scanned(findElementsSlowly, bytes, before, cuts, most), expected)
    },
  ),
  'are those of the elements of any array': fc.property(arrays, ([values, space, cuts]) => {
    const json = JSON.stringify(values, undefined, space)
    // Behind the array stands what would be found in it.
    const bytes = Buffer.from(`${json.slice(1)},"[{`)
    for (const find of Object.values(FINDS)) {
      const found = scanned(find, bytes, 0, cuts, 500)
      assert.equal(found.stop, 'closed')
      assert.deepEqual(found.state, ARRAY_START)
      assert.equal(found.scanned, Buffer.byteLength(json) - 1)
      assert.equal(found.newlines, json.split('\n').length - 1)
      const texts = elementsOf(bytes, found.ends)
      if (values.length === 0) assert.deepEqual(texts, [''])
      else
        assert.deepEqual(
          texts.map((text) => JSON.parse(text) as unknown),
          JSON.parse(json),
        )
    }
  }),
}
