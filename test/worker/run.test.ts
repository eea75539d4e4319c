/** One chunk as a worker runs it, without a worker: the messages that it posts, and their times. */
import { pack, unpack, type Data } from '#dist/codec/codec.js'
import { decodeError } from '#dist/codec/error-codec/decode.js'
import { encodeError } from '#dist/codec/error-codec/encode.js'
import { createCells, markCancelled } from '#dist/worker/cells.js'
import type { PartMessage, WorkerJob } from '#dist/worker/protocol.js'
import { RunningChunk } from '#dist/worker/chunk.js'
import { Poster } from '#dist/worker/poster.js'
import { runChunk } from '#dist/worker/run.js'

/** A part as the other side reads it. */
interface Read {
  readonly from: number
  readonly count: number
  readonly last: boolean
  readonly results: readonly unknown[]
  readonly counts: readonly number[] | undefined
  readonly chunkOffsets: readonly number[] | undefined
  readonly errors: readonly (readonly [partOffset: number, message: string])[]
  readonly fault: string | undefined
  readonly isFolded: boolean
}

const cells = createCells()
const SEQ = 5

interface Posted {
  readonly parts: Read[]
  /** Resolves when this many parts have been posted. */
  readonly until: (count: number) => Promise<void>
  readonly ended: Promise<void>
}

type Kind = WorkerJob['kind']

/** Runs a function over items. The items at these places were refused before they arrived. */
function start(
  kind: Kind,
  items: readonly unknown[],
  fn: (...args: never[]) => unknown,
  job: Partial<WorkerJob> & { refused?: readonly number[]; flushFirst?: boolean } = {},
): Posted {
  const { refused = [], flushFirst = false, ...rest } = job
  const parts: Read[] = []
  let posted = (): void => undefined
  const post = (message: PartMessage): void => {
    parts.push(read(structuredClone(message)))
    posted()
  }
  const how: WorkerJob = {
    kind,
    name: { module: 'm', id: 'task', exported: false },
    concurrency: 1,
    ordered: true,
    stopOnError: false,
    ...rest,
  }
  const sent = refused.map((chunkOffset) => [chunkOffset, encodeError(new Error(`refused ${chunkOffset}`))] as const)
  const host = { worker: 3, cells, post, receive: () => undefined }
  const chunk = new RunningChunk([SEQ, 0, 1, 100, flushFirst, pack(items).data, { settled: sent }], how, host)
  const until = async (count: number): Promise<void> => {
    while (parts.length < count) await new Promise<void>((resolve) => (posted = resolve))
  }
  return { parts, until, ended: runChunk(fn as never, chunk, new Poster(chunk)) ?? Promise.resolve() }
}

function read([, from, count, last, , , data, details]: PartMessage): Read {
  const { counts, chunkOffsets, errors = [], isFolded = false } = details ?? {}
  return {
    from,
    count,
    last,
    results: unpack(data as Data),
    counts: counts && [...counts],
    chunkOffsets,
    errors: errors.map(([partOffset, error]) => [partOffset, (decodeError(error) as Error).message]),
    fault: details?.fault && (decodeError(details.fault) as Error).message,
    isFolded,
  }
}

/** Runs to the end. Gives the parts as one, if their ends do not matter. */
async function all(...args: Parameters<typeof start>): Promise<Pick<Read, 'count' | 'results' | 'counts' | 'errors'>> {
  const { parts, ended } = start(...args)
  await ended
  expect(parts.map(({ last }) => last)).toEqual(parts.map((_, i) => i === parts.length - 1))
  return {
    count: parts.reduce((sum, { count }) => sum + count, 0),
    results: parts.flatMap(({ results }) => results),
    counts: parts.some(({ counts }) => counts !== undefined) ? parts.flatMap(({ counts }) => counts ?? []) : undefined,
    errors: parts.flatMap(({ from, errors }) =>
      errors.map(([partOffset, message]) => [from + partOffset, message] as const),
    ),
  }
}

const failing = (n: number): never => {
  throw new Error(`failed ${n}`)
}

describe('a chunk of a filter', () => {
  it('gives the items that are kept, and how many each item gave', async () => {
    for (const concurrency of [1, 2]) {
      const fn = (n: number): unknown => (n === 3 ? failing(n) : n === 4 ? Promise.resolve(true) : n % 2 === 0)
      const { results, counts, errors } = await all('filter', [1, 2, 3, 4, 5], fn, { concurrency, refused: [1] })
      expect({ results, counts, errors }).toEqual({
        results: [4],
        counts: [0, 0, 0, 1, 0],
        errors: [
          [1, 'refused 1'],
          [2, 'failed 3'],
        ],
      })
    }
  })
})

describe('a chunk of a flatMap', () => {
  it('gives all elements of an item, or none where one of them cannot be sent', async () => {
    for (const concurrency of [1, 3]) {
      const fn = (n: number): unknown => (n === 2 ? [n, () => n, n] : n === 3 ? Promise.resolve([]) : new Set([n, -n]))
      const { count, results, counts, errors } = await all('flatMap', [1, 2, 3, 4], fn, { concurrency })
      expect({ count, results, counts }).toEqual({ count: 4, results: [1, -1, 4, -4], counts: [2, 0, 0, 2] })
      expect(errors).toHaveLength(1)
      expect(errors[0]?.[0]).toBe(1)
      expect(errors[0]?.[1]).toMatch(/^Cannot return the result of item 101 as result is a function/)
    }
  })

  it('says where the outcomes belong when items complete in another order', async () => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const fn = (n: number): unknown => (n === 0 ? held.then(() => [n, () => n]) : [n, n])
    const { parts, until, ended } = start('flatMap', [0, 1, 2], fn, { concurrency: 3, ordered: false })
    // As one part, or on a slow machine as two.
    await until(1)
    if (parts[0]?.count === 1) await until(2)
    const early = [...parts]
    expect(early.flatMap(({ chunkOffsets }) => chunkOffsets)).toEqual([1, 2])
    expect(early.flatMap(({ counts }) => counts)).toEqual([2, 2])
    expect(early.flatMap(({ results }) => results)).toEqual([1, 1, 2, 2])
    expect(early.some(({ last }) => last)).toBe(false)
    release()
    await ended
    const [late, ...more] = parts.slice(early.length)
    expect(more).toEqual([])
    expect(late).toMatchObject({ chunkOffsets: [0], counts: [0], results: [], last: true })
    expect(late?.errors[0]?.[1]).toMatch(/item 100/)
  })
})

describe('a chunk of a reduce', () => {
  const add = (sum: number[], n: number): unknown =>
    n < 0 ? failing(n) : n > 5 ? Promise.resolve([...sum, n]) : (sum.push(n), sum)

  it('gives one accumulator for all items, where none has failed', async () => {
    const { parts, ended } = start('reduce', [1, 7, 2], add, { initial: [0] })
    await ended
    const part = { count: 3, results: [[0, 1, 7, 2]], counts: undefined, errors: [], isFolded: true, last: true }
    expect(parts).toEqual([expect.objectContaining(part)])
  })

  it('gives the accumulator with the last item that did not fail', async () => {
    const given = await all('reduce', [1, 7, -2], add, { initial: [0] })
    expect(given).toEqual({ count: 3, results: [[0, 1, 7]], counts: [0, 1, 0], errors: [[2, 'failed -2']] })
  })

  it('counts each item once, also those that failed or were refused', async () => {
    const given = await all('reduce', [1, -2, 3, 4, -5], add, { initial: [], refused: [2] })
    expect(given).toEqual({
      count: 5,
      results: [[1, 4]],
      counts: [0, 0, 0, 1, 0],
      errors: [
        [1, 'failed -2'],
        [2, 'refused 2'],
        [4, 'failed -5'],
      ],
    })
  })

  it('gives nothing when every item failed', async () => {
    const given = await all('reduce', [-1, -2], add, { initial: [0], refused: [1] })
    expect(given).toMatchObject({ count: 2, results: [], counts: [0, 0] })
  })

  it('stops at the first error where it ends the stream', async () => {
    const seen: number[] = []
    const fn = (sum: number[], n: number): unknown => (seen.push(n), add(sum, n))
    const given = await all('reduce', [1, -2, 3], fn, { initial: [], stopOnError: true })
    expect(given).toMatchObject({ count: 3, errors: [[1, 'failed -2']] })
    expect(seen).toEqual([1, -2])
  })

  it('leaves the initial accumulator as it was', async () => {
    const initial = [0]
    await all('reduce', [1, 2], add, { initial })
    expect(initial).toEqual([0])
  })

  it('fails as a whole when the accumulator cannot be sent', async () => {
    const { parts, ended } = start('reduce', [1, 2], (_: unknown, n: number) => () => n, { initial: 0 })
    await ended
    const message = expect.stringMatching(/item 101 as result is a function/) as string
    expect(parts).toEqual([expect.objectContaining({ results: [], last: true, fault: message })])
  })
})

describe('a chunk of any verb', () => {
  const verbs: readonly (readonly [kind: Kind, give: (n: number) => unknown, wanted: readonly unknown[]])[] = [
    ['map', (n) => n, [0]],
    ['filter', () => true, [0]],
    ['flatMap', (n) => [n, n], [0, 0]],
  ]
  for (const [kind, give, wanted] of verbs) {
    it(`posts what is done while an item is awaited: ${kind}`, async () => {
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => (release = resolve))
      const fn = (n: number): unknown => (n === 1 ? held.then(() => give(n)) : give(n))
      const { parts, until, ended } = start(kind, [0, 1], fn)
      await until(1)
      expect(parts[0]).toMatchObject({ from: 0, count: 1, last: false, results: wanted })
      release()
      await ended
      expect(parts).toHaveLength(2)
      expect(parts[1]).toMatchObject({ from: 1, count: 1, last: true })
    })

    it(`posts its first outcome at once when the consumer waits for it: ${kind}`, async () => {
      const { parts, ended } = start(kind, [0, 1, 2], give, { flushFirst: true })
      await ended
      expect(parts.map(({ count }) => count)).toEqual([1, 2])
    })

    it(`stops at the next item boundary when it is cancelled: ${kind}`, async () => {
      const seen: number[] = []
      const fn = (n: number): unknown => {
        seen.push(n)
        if (n === 1) markCancelled(cells, 0, SEQ)
        return give(n)
      }
      const { ended } = start(kind, [0, 1, 2, 3], fn)
      await ended
      markCancelled(cells, 0, 0)
      expect(seen).toEqual([0, 1])
    })
  }
})
