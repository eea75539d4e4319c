/** `console.log()` shows objects of the library by their state, on one line. */
import { inspect } from 'node:util'
import { batch, imap, lines, Pool } from 'millrace'
import { Lock } from 'millrace/multiprocessing'

describe('console.log()', () => {
  it('shows the task of a stream, whether it has started, and how far it is', async () => {
    const double = (x: number): number => 2 * x
    const stream = imap(double, [1, 2], { workers: 0 })
    expect(inspect(stream)).toBe("Stream { task: 'double', state: 'not started', read: 0, delivered: 0 }")
    await stream.next()
    expect(inspect({ stream })).toBe("{\n  stream: Stream { task: 'double', state: 'open', read: 2, delivered: 1 }\n}")
    await stream.return()
    expect(inspect(stream)).toBe("Stream { task: 'double', state: 'ended', read: 2, delivered: 1 }")
  })

  it('shows the sources of lines, and whether they have been opened', async () => {
    const given = lines([Buffer.from('one\ntwo\n')])
    expect(inspect(given)).toBe("Lines { sources: [ 'bytes' ], state: 'not started' }")
    await given.next()
    expect(inspect(given)).toBe("Lines { sources: [ 'bytes' ], state: 'open' }")
    await given.return()
    expect(inspect(given)).toBe("Lines { sources: [ 'bytes' ], state: 'ended' }")
    expect(inspect(lines(['a.log', 'b.log.gz']))).toBe(
      "Lines { sources: [ 'a.log', 'b.log.gz' ], state: 'not started' }",
    )
  })

  it('shows the results of take(), drop() and chunks(), with their stream', async () => {
    const double = (x: number): number => 2 * x
    const open = { breakLength: Infinity }
    const taken = imap(double, [1, 2, 3], { workers: 0 }).take(2)
    const stream = (state: string, read: number, delivered: number): string =>
      `Stream { task: 'double', state: '${state}', read: ${read}, delivered: ${delivered} }`
    expect(inspect(taken, open)).toBe(`Taken { count: 2, left: 2, source: ${stream('not started', 0, 0)} }`)
    await taken.next()
    expect(inspect(taken, open)).toBe(`Taken { count: 2, left: 1, source: ${stream('open', 3, 1)} }`)
    await taken.next()
    expect(inspect(taken, open)).toBe(`Taken { count: 2, left: 0, source: ${stream('ended', 3, 2)} }`)
    const dropped = imap(double, [1, 2, 3], { workers: 0 }).drop(2)
    expect(inspect(dropped, open)).toBe(`Dropped { count: 2, source: ${stream('not started', 0, 0)} }`)
    expect(await dropped.toArray()).toEqual([6])
    const chunks = imap(double, [1, 2, 3], { workers: 0 }).chunks()
    expect(inspect(chunks, open)).toBe(`Chunks { source: ${stream('not started', 0, 0)} }`)
    expect(inspect(dropped, open)).toMatch(/^Dropped \{ count: 2, source: Stream \{ task: 'double', state: 'ended'/)
  })

  it('shows the size of batches, and whether their source has been opened', async () => {
    const batches = batch(2, [1, 2, 3])
    expect(inspect(batches)).toBe("Batched { size: 2, state: 'not started' }")
    await batches.next()
    expect(inspect(batches)).toBe("Batched { size: 2, state: 'open' }")
    await batches.next()
    expect(inspect(batches)).toBe("Batched { size: 2, state: 'ended' }")
  })

  it('shows deep values as Node does', () => {
    const stream = imap((x: number) => x, [1], { workers: 0 })
    const within = (value: unknown): string => inspect({ a: { b: { c: value } } }, { breakLength: Infinity })
    expect(within(stream)).toBe('{ a: { b: { c: [Stream] } } }')
    expect(within(new Lock())).toBe('{ a: { b: { c: [Lock] } } }')
    expect(inspect({ a: { stream } }, { depth: null, breakLength: Infinity })).toContain("state: 'not started'")
  })

  it('shows the workers of a pool and its streams', async () => {
    await using pool = new Pool({ workers: 2, name: 'parsers' })
    expect(inspect(pool, { breakLength: Infinity })).toBe(
      "Pool { name: 'parsers', workers: 2, ready: 0, busy: 0, waiting: 0, streams: 0 }",
    )
  })
})
