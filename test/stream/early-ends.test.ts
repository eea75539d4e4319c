/** Ends before the first result: sources are still closed. And the error of streams that are read a second time. */
import { PassThrough, Readable } from 'node:stream'
import { imap, lines, Pool, type Stream } from 'millrace'
import { same } from '../fixtures/contract-a-values.js'
import { turns } from '../support/gates.js'

const pool = new Pool({ workers: 1, name: 'early' })
afterAll(() => pool.terminate())

const runs = {
  'on a pool': (source: AsyncIterable<unknown>, signal?: AbortSignal) => pool.imap(same, source, signal && { signal }),
  'on this thread': (source: AsyncIterable<unknown>, signal?: AbortSignal) =>
    imap((x: unknown) => x, source, signal ? { workers: 0, signal } : { workers: 0 }),
}
const ends: Record<string, (stream: Stream<unknown>) => Promise<unknown>> = {
  'return() before the first next()': (stream) => stream.return(),
  'a signal that was aborted': (stream) => stream.next().catch((error: unknown) => error),
}

for (const [where, run] of Object.entries(runs)) {
  for (const [how, end] of Object.entries(ends)) {
    const signal = how.startsWith('a signal') ? AbortSignal.abort() : undefined

    it(`${how} ${where} destroys a Node stream, also behind stages`, async () => {
      for (const wrap of [(source: Readable) => source, (source: Readable) => run(run(source))]) {
        const source = new PassThrough({ objectMode: true })
        await end(run(wrap(source) as never, signal))
        await turns(2)
        expect(source.destroyed).toBe(true)
      }
    })

    it(`${how} ${where} cancels a web stream`, async () => {
      let cancelled = 0
      const source = new ReadableStream({
        cancel() {
          cancelled++
        },
      })
      await end(run(source as never, signal))
      await turns(2)
      expect(cancelled).toBe(1)
    })

    it(`${how} ${where} calls return() of an iterator once, and opens nothing`, async () => {
      let closed = 0
      let opened = 0
      const source = {
        next: () => Promise.resolve({ value: 1, done: false }),
        return: () => Promise.resolve({ value: closed++, done: true }),
        [Symbol.asyncIterator]: () => {
          opened++
          return source
        },
      }
      const stream = run(source as never, signal)
      await end(stream)
      await stream.return()
      await turns(2)
      expect([closed, opened]).toEqual([1, 0])
    })
  }

  it(`a stream ${where} that has ended, failed or was left throws when it is read again`, async () => {
    const read = async (source: AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of source);
    }
    const ended = run(Readable.from([1, 2]))
    await read(ended)
    const left = run(Readable.from([1, 2]))
    for await (const _ of left) break
    const closed = run(Readable.from([1]))
    await closed.return()
    const failed = run(Readable.from([() => 1]).map(() => Promise.reject(new Error('broken'))))
    await expect(read(failed)).rejects.toThrow('broken')
    for (const stream of [ended, left, closed, failed]) {
      const again = { code: 'ERR_INVALID_SOURCE', message: expect.stringContaining('can be read once') as string }
      await expect(read(stream)).rejects.toMatchObject(again)
      await expect(read(stream.chunks())).rejects.toMatchObject(again)
      await expect(read(pool.imap(same, stream))).rejects.toMatchObject(again)
      await expect(read(imap((x: unknown) => x, stream, { workers: 0 }))).rejects.toMatchObject(again)
      expect(await stream.next()).toEqual({ value: undefined, done: true })
    }
  })

  it(`two loops over a stream ${where} share its results; an error that was not seen is thrown`, async () => {
    const shared = run(Readable.from([1, 2, 3, 4]))
    const seen: unknown[] = []
    const loop = async (): Promise<void> => {
      for await (const x of shared) seen.push(x)
    }
    await Promise.all([loop(), loop()])
    expect(seen.sort()).toEqual([1, 2, 3, 4])
    const controller = new AbortController()
    const stream = run(Readable.from([1, 2]), controller.signal)
    await stream.next()
    controller.abort(new Error('unseen'))
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow('unseen')
  })
}

it('lines() read twice, or given to two stages, throw', async () => {
  const again = { code: 'ERR_INVALID_SOURCE', message: expect.stringContaining('call lines() again') as string }
  const read = async (source: AsyncIterable<unknown>): Promise<number> => {
    let count = 0
    for await (const _ of source) count++
    return count
  }
  const once = lines([Buffer.from('a\nb\n')])
  expect(await read(once)).toBe(2)
  await expect(read(once)).rejects.toMatchObject(again)
  const given = lines([Buffer.from('a\nb\n')])
  const first = read(pool.imap(same, given))
  await expect(read(pool.imap(same, given))).rejects.toMatchObject(again)
  expect(await first).toBe(2)
})
