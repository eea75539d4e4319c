/** `write()` with `resume`: a run that fails anywhere, and goes on until it is done, gives what a run without a stop gives. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { rejects } from '#dist/sinks/rejects.js'
import type { WriteOptions } from '#dist/sinks/write-options.js'
import { write, type WriteResult } from '#dist/sinks/write.js'
import { filter } from '#dist/verbs/filter.js'
import { flatMap } from '#dist/verbs/flat-map.js'
import { imap } from '#dist/verbs/imap.js'
import { abortedInCheckpoint } from '../support/held-checkpoint.js'
import { failingSource } from '../support/marked-source.js'
import { times } from '../support/volume.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resume-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const inline = { workers: 0 } as const

interface Row {
  readonly id: number
  readonly text: string
}

const rows: readonly Row[] = Array.from({ length: 3_000 }, (_, id) => ({ id, text: 'x,"y'.repeat(id % 50) }))

function picky(row: Row): object {
  if (row.id % 97 === 0) throw new Error(`bad ${row.id}`)
  return row.id % 3 === 0 ? { text: row.text, id: row.id } : row
}

type Source = AsyncIterable<Row>

type At = (name: string) => string

/** A run makes checkpoints as often as it can, and a last one when its signal fires. */
type Run = Pick<WriteOptions, 'resume' | 'signal'>

/** What is written, and where: each gives all files that appear, by name. */
const jobs: Readonly<Record<string, (source: Source, at: At, run: Run) => Promise<WriteResult>>> = {
  ndjson: (source, at, run) => write(at('a.ndjson'), run)(source),
  'ndjson.gz': (source, at, run) => write(at('a.ndjson.gz'), run)(imap(picky, source, skip)),
  'csv, columns of the first record': (source, at, run) =>
    write(at('a.csv'), run)(imap(picky, source, { ...inline, errors: rejects(at('bad.ndjson')) })),
  json: (source, at, run) => write(at('a.json'), run)(filter(({ id }: Row) => id % 2 === 0, source, inline)),
  partitions: (source, at, run) =>
    write(at('parts'), { ...run, partition: 'kind', format: 'csv' })(
      imap((row: Row) => ({ ...row, kind: row.id % 5 }), source, inline),
    ),
  'a new file after some bytes': (source, at, run) =>
    write(at('part-{n}.csv'), { ...run, rotate: 40_000 })(imap(picky, source, skip)),
  'the same, gzip': (source, at, run) =>
    write(at('part-{n}.json.gz'), { ...run, rotate: 100_000 })(imap(picky, source, skip)),
  'partitions by a function, gzip': (source, at, run) =>
    write(at('parts'), {
      ...run,
      partition: (row: Row) => `p${row.id % 3}`,
      format: 'ndjson',
      compress: 'gzip',
    })(flatMap((row: Row) => [row, row], source, inline)),
}
const often = { interval: 1 } as const
const skip = { ...inline, errors: 'skip' } as const

/** All files below a folder, with their bytes. */
async function filesIn(path: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const name = join(entry.parentPath, entry.name)
    files[name.slice(path.length + 1)] = (await readFile(name)).toString('base64')
  }
  return files
}

/** How a run is stopped, when its source has given some values. Only an abort is sure to leave a checkpoint. */
interface Stop {
  readonly at: number
  readonly by: 'failure' | 'abort'
}

/** @param stop Undefined: it is not stopped. */
function runOf(job: (typeof jobs)[string], at: At, stop?: Stop): Promise<WriteResult> {
  const controller = new AbortController()
  const source = failingSource(rows, 64, stop?.by === 'failure' ? stop.at : undefined, (given) => {
    if (stop?.by === 'abort' && given >= stop.at) controller.abort(new Error('stopped'))
  })
  return job(source, at, { resume: often, signal: controller.signal })
}

const stops: fc.Arbitrary<readonly Stop[]> = fc
  .array(fc.record({ at: fc.nat(3_000), by: fc.constantFrom('failure', 'abort') }), { maxLength: 6 })
  .map((stops) => stops.sort((one, other) => one.at - other.at))

for (const [name, job] of Object.entries(jobs)) {
  it(`${name}: the bytes are those of a run without a stop`, async () => {
    const whole = join(folder, 'whole')
    const expected = await runOf(job, (name) => join(whole, name))
    expect(expected.resumed).toBe(false)
    const files = await filesIn(whole)
    expect(Object.keys(files).filter((file) => /part$|checkpoint|lock|created/.test(file))).toEqual([])
    await fc.assert(
      fc.asyncProperty(stops, async (stops) => {
        const path = await mkdtemp(join(folder, 'run-'))
        const at = (name: string): string => join(path, name)
        for (const stop of stops) {
          await expect(runOf(job, at, stop)).rejects.toThrow('stopped')
          // What was written behind the checkpoint may be more, or not all.
          for (const file of Object.keys(await filesIn(path))) {
            if (file.endsWith('.part')) await writeFile(at(file), 'more', { flag: 'a' })
          }
        }
        const { duration: _, resumed, ...result } = await runOf(job, at)
        if (stops.some(({ by }) => by === 'abort')) expect(resumed).toBe(true)
        const { duration: __, resumed: ___, ...whole } = expected
        expect(JSON.parse(JSON.stringify(result).replaceAll(path, ''))).toEqual(
          JSON.parse(JSON.stringify(whole).replaceAll(join(folder, 'whole'), '')),
        )
        expect(await filesIn(path)).toEqual(files)
        await rm(path, { recursive: true })
      }),
      { numRuns: times(2, 10), examples: [[[{ at: 1_500, by: 'abort' }]]], endOnFailure: true },
    )
  })
}

it('a stream that fails while a checkpoint waits for its failed items ends', async () => {
  const bad = { ...inline, errors: rejects(join(folder, 'bad.ndjson')) }
  const path = join(folder, 'a.ndjson')
  const all = imap(() => Promise.reject(new Error('bad')), failingSource(rows, 64, 640), bad)
  await expect(write(path, { resume: often })(all)).rejects.toThrow('stopped')
})

it('an aborted run whose source has ended fails all the same', async () => {
  const path = join(folder, 'a.ndjson')
  const controller = new AbortController()
  const source = failingSource(rows, 64, undefined, (at) => {
    if (at === rows.length) controller.abort(new Error('enough'))
  })
  await expect(write(path, { resume: true, signal: controller.signal })(source)).rejects.toThrow('enough')
  expect(existsSync(path)).toBe(false)
  expect((await write(path, { resume: true })(failingSource(rows, 64))).written).toBe(3_000)
})

it('an aborted run makes a last checkpoint', async () => {
  const path = join(folder, 'a.ndjson')
  const controller = new AbortController()
  const options = { resume: true, signal: controller.signal }
  const source = failingSource(rows, 8, undefined, (at) => {
    if (at >= 1_000) controller.abort(new Error('enough'))
  })
  await expect(write(path, options)(source)).rejects.toThrow('enough')
  expect(existsSync(`${path}.checkpoint`)).toBe(true)
  let first: number | undefined
  const rest = failingSource(rows, 8, undefined, (at) => {
    first ??= at
  })
  const { resumed, written } = await write(path, { resume: true })(rest)
  expect({ resumed, written }).toEqual({ resumed: true, written: 3_000 })
  expect(first).toBeGreaterThan(990)
  expect((await readFile(path, 'utf8')).split('\n').length).toBe(3_001)
})

it('an abort while a checkpoint is made gets its own one', async () => {
  const path = join(folder, 'a.ndjson')
  const { atAbort, atEnd } = await abortedInCheckpoint(rows, new Error('enough'), (source, signal) =>
    write(path, { resume: often, signal })(source),
  )
  expect(atEnd).toBeLessThan(rows.length)
  let first: number | undefined
  const rest = failingSource(rows, 8, undefined, (at) => {
    first ??= at
  })
  const { resumed, written } = await write(path, { resume: true })(rest)
  expect({ resumed, written }).toEqual({ resumed: true, written: 3_000 })
  expect(first).toBeGreaterThanOrEqual(atAbort)
})
