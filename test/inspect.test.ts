/** How `console.log()` shows what the library gives: by its state, on one line. */
import { inspect } from 'node:util'
import { imap, lines, Pool } from 'millrace'

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

  it('shows the workers of a pool and its streams', async () => {
    await using pool = new Pool({ workers: 2, name: 'parsers' })
    expect(inspect(pool, { breakLength: Infinity })).toBe(
      "Pool { name: 'parsers', workers: 2, ready: 0, busy: 0, waiting: 0, streams: 0 }",
    )
  })
})
