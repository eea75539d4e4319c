/**
 * A consumer that leaves a stream early, as take() does, has the failed items before its last result. No others are counted,
 * or written to the file of rejects(). Where chunks end, and how many workers there are, makes no difference.
 */
import { readFileSync, rmSync } from 'node:fs'
import fc from 'fast-check'
import { pipe, Pool, rejects, write, type Results, type Stream } from 'millrace'
import { copies, positive } from '../fixtures/failures-in-turn.js'
import { same } from '../fixtures/records.js'
import { useFolder } from '../sinks/folder.js'
import { watchRejections } from '../support/rejections.js'
import { times } from '../support/volume.js'

const folder = useFolder()
const pool = new Pool({ workers: 2, name: 'failures in turn' })
watchRejections()
afterAll(() => pool.terminate())

interface Case {
  /** Those below 0 fail. */
  readonly items: readonly number[]
  readonly isSpread: boolean
  readonly count: number
  readonly chunksize: number | 'auto'
  readonly rejects: boolean
  readonly maxErrors: number | undefined
  readonly read: keyof typeof READS
}

const READS = {
  all: async (results: Results<object>) => (await results.toArray()).length,
  each: async (results: Results<object>) => {
    let count = 0
    for await (const _ of results) count++
    return count
  },
  text: (results: Results<object>) => written(results, 'out.ndjson'),
  table: (results: Results<object>) => written(results, 'out.csv'),
}

async function written(results: Results<object>, name: string): Promise<number> {
  return (await pipe(results, write(folder.at(name)))).written
}

const cases = fc.record<Case>({
  items: fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 40 }),
  isSpread: fc.boolean(),
  // Without any result it never starts.
  count: fc.integer({ min: 1, max: 30 }),
  chunksize: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant('auto' as const)),
  rejects: fc.boolean(),
  maxErrors: fc.option(fc.nat(8), { nil: undefined }),
  read: fc.constantFrom('all', 'each', 'text', 'table'),
})

/** What a stream that runs one item after the other gives. */
function expected({ items, isSpread, count, maxErrors = Infinity }: Case): object {
  let failed = 0
  let given = 0
  for (const item of items) {
    if (given >= count) break
    if (item >= 0) given += isSpread ? item : 1
    else if (++failed > maxErrors) return { code: 'ERR_TOO_MANY_ERRORS' }
  }
  return { given: Math.min(given, count), failed }
}

async function outcome(one: Case, workers: number): Promise<{ result: object; file: string | undefined }> {
  const { items, isSpread, count, chunksize, maxErrors, read } = one
  const path = folder.at('bad.ndjson')
  const options = {
    workers,
    chunksize,
    errors: one.rejects ? rejects(path) : ('skip' as const),
    ...(maxErrors !== undefined && { maxErrors }),
  }
  const stream: Stream<object> = isSpread ? pool.flatMap(copies, items, options) : pool.imap(positive, items, options)
  try {
    const given = await READS[read](stream.take(count))
    const { delivered, failed, skipped, rejected } = stream.stats()
    expect({ delivered, left: skipped + rejected }).toEqual({ delivered: given, left: failed })
    expect(rejected).toBe(one.rejects ? failed : 0)
    const file = one.rejects ? readFileSync(path, 'utf8') : undefined
    if (file !== undefined) expect(file.split('\n')).toHaveLength(failed + 1)
    return { result: { given, failed }, file }
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_TOO_MANY_ERRORS' })
    return { result: { code: 'ERR_TOO_MANY_ERRORS' }, file: undefined }
  } finally {
    for (const name of folder.files()) rmSync(folder.at(name))
  }
}

it('take() counts, and rejects() writes, what has failed before the last result', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const here = await outcome(one, 0)
      expect(here.result).toEqual(expected(one))
      expect(await outcome(one, 2)).toEqual(here)
    }),
    { numRuns: times(25, 300) },
  )
})

it('a record that the output cannot take fails as any other, and only if it is given', async () => {
  const records = [{ a: 1 }, 'text', { a: 2 }, { a: 3 }, { b: 4 }, { a: 5 }]
  for (const workers of [0, 2]) {
    const stream = pool.imap(same, records, { workers, chunksize: 6, errors: 'skip' })
    const result = await pipe(stream.take(3), write(folder.at('a.csv')))
    expect(folder.read('a.csv')).toBe('a\n1\n2\n3\n')
    expect(result).toMatchObject({ written: 3, skipped: 1 })
    const thrown = pool.imap(same, records, { workers, chunksize: 6 })
    await expect(pipe(thrown.take(3), write(folder.at('b.csv')))).rejects.toMatchObject({ code: 'ERR_OUTPUT_FORMAT' })
    expect(await pipe(pool.imap(same, records, { workers }).take(1), write(folder.at('c.csv')))).toMatchObject({
      written: 1,
    })
  }
})

it('a loop that breaks has those before its last result, too', async () => {
  const items = [-1, 1, -2, -3, 2, -1, -1]
  for (const workers of [0, 2]) {
    const stream = pool.imap(positive, items, { workers, chunksize: 7, errors: 'skip' })
    let given = 0
    for await (const _ of stream) if (++given === 2) break
    expect(stream.stats()).toMatchObject({ delivered: 2, skipped: 3, failed: 3 })
  }
})
