/** Reading an async source: several items for one chunk, without the stream between them. */
import { imap, type Stream } from 'millrace'
import { double } from '../fixtures/contract-b-tasks.js'

/** An async source of numbers. At one of them it calls a function on the stream that reads it. */
function source(length: number, at: number, act: () => unknown): AsyncIterable<number> {
  let given = 0
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        if (given === at) act()
        return Promise.resolve(given < length ? { value: given++, done: false } : { value: undefined, done: true })
      },
    }),
  }
}

async function rest(stream: Stream<number>): Promise<number[]> {
  const results: number[] = []
  for await (const result of stream) results.push(result)
  return results
}

describe('an async source', () => {
  const all = Array.from({ length: 40 }, (_, n) => 2 * n)

  it('may ask its own stream for a result while it is read: each result comes once, in order', async () => {
    for (const at of [0, 1, 5, 39, 40]) {
      for (const workers of [0, 1] as const) {
        let early: Promise<IteratorResult<number, undefined>> | undefined
        const stream: Stream<number> = imap(
          double,
          source(40, at, () => (early ??= stream.next())),
          { chunksize: 8, window: 16, workers },
        )
        const first = await stream.next()
        const others = await rest(stream)
        const second = await early
        const results = [first, ...(second === undefined ? [] : [second])].flatMap(({ value, done }) =>
          done === true ? [] : [value],
        )
        expect([...results, ...others].sort((a, b) => a - b)).toEqual(all)
        expect(others).toEqual([...others].sort((a, b) => a - b))
      }
    }
  })

  it('may end its own stream while it is read', async () => {
    for (const at of [0, 1, 5, 12]) {
      let ended: Promise<unknown> | undefined
      const stream: Stream<number> = imap(
        double,
        source(40, at, () => (ended ??= stream.return())),
        { chunksize: 8, window: 16 },
      )
      await rest(stream)
      await ended
      expect(await stream.next()).toEqual({ value: undefined, done: true })
      expect(stream.stats().read).toBeLessThanOrEqual(at + 1)
    }
  })
})
