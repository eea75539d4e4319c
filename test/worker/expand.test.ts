/** Takes apart the value that a task of `flatMap` returned. */
import { elementsOf } from '#dist/worker/expand.js'
import { broken, expandables, type Broken, type Named } from '../fixtures/contract-verbs.js'
import { rejection } from '../support/matrix.js'

describe('elementsOf()', () => {
  it('gives the elements of an iterable at once, and of anything else later', async () => {
    for (const name of Object.keys(expandables) as Named[]) {
      const returned: unknown = await expandables[name]()
      expect(await elementsOf(returned)).toEqual([1, 2, 3])
    }
    expect(elementsOf([1, 2])).toEqual([1, 2])
    expect(elementsOf(new Map([[1, 2]]))).toEqual([[1, 2]])
  })

  it('gives a new array, without holes', () => {
    const returned = [1, , 3]
    const elements = elementsOf(returned)
    expect(elements).not.toBe(returned)
    expect(elements).toStrictEqual([1, undefined, 3])
  })

  it('awaits promises among the elements, and anything with then()', async () => {
    const late = {
      then: (resolve: (value: number) => void) => {
        resolve(2)
      },
    }
    expect(await elementsOf(new Set([1, late, Promise.resolve(3)]))).toEqual([1, 2, 3])
  })

  it('closes an iterator that it does not read to its end', async () => {
    let closes = 0
    function* source(): Generator<number> {
      try {
        yield 1
        throw new Error('midway')
      } finally {
        closes++
      }
    }
    expect(() => elementsOf(source())).toThrow('midway')
    expect(closes).toBe(1)
  })

  it('throws, at once or later, for a value without elements, or without all of them', async () => {
    for (const name of Object.keys(broken) as Broken[]) {
      const [make, text] = broken[name]
      const error = await rejection(Promise.resolve(make()).then((returned) => elementsOf(returned)))
      expect((error as Error).message).toContain(text)
    }
    expect(() => elementsOf('text')).toThrow(
      "Cannot expand the task's result as it must be an iterable or async iterable (for one result: [result]): received 'text'",
    )
  })
})
