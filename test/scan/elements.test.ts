/** The ends of elements of an array of JSON: the kernel, its definition in JavaScript, and whole documents. */
import fc from 'fast-check'
import { openKernel } from '#dist/scan/memory.js'
import { elementsOf, ends, FINDS, PROPERTIES, scanned, text } from '../support/elements.js'
import { times } from '../support/volume.js'

describe('the ends of elements', () => {
  it('are found by the kernel here', () => {
    expect(openKernel()).not.toBeNull()
    expect([text.isScannable, ends.isScannable]).toEqual([true, true])
  })

  for (const [title, property] of Object.entries(PROPERTIES)) {
    it(title, () => {
      fc.assert(property as fc.IProperty<unknown>, { numRuns: times(1000, 30_000) })
    })
  }

  for (const [name, find] of Object.entries(FINDS)) {
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
