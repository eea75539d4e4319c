/** What runs of `commit()` do that are killed: all kinds of sources and stages, with workers. */
import {
  batch,
  commit,
  csv,
  files,
  lines,
  ndjson,
  pipe,
  rejects,
  type CommitOptions,
  type CommitResult,
  type CommitTarget,
  type Pool,
} from 'millrace'
import type { Ways } from '../resume-kills/jobs.js'
import { clean, isWanted, overtaken, pieces, shorten, type Row } from '../resume-kills/tasks.js'

export interface JobRun {
  readonly pool: Pool
  readonly ways: Ways
  readonly target: CommitTarget<unknown>
  readonly options: CommitOptions
  /** The glob of the input files with this suffix. */
  readonly input: (suffix: string) => string
  /** The path of an output. */
  readonly at: (name: string) => string
}

export interface Job {
  readonly isOrdered: boolean
  readonly run: (run: JobRun) => Promise<CommitResult>
}

export const JOBS: Readonly<Record<string, Job>> = {
  'CSV, with failed items': {
    isOrdered: true,
    run: ({ pool, ways, target, options, input, at }) =>
      pipe(
        csv<Row & Record<string, string>>(files(input('csv'))),
        pool.imap(clean, { ...ways, errors: rejects(at('bad.ndjson')) }),
        commit(target, options),
      ),
  },
  'lines of gzip, divided, in batches': {
    isOrdered: true,
    run: ({ pool, ways, target, options, input }) =>
      pipe(
        lines(files(input('txt.gz'))),
        pool.flatMap(pieces, ways),
        pool.imap(shorten, ways),
        batch(20),
        commit(target, { ...options, items: 20 }),
      ),
  },
  'NDJSON, filtered, unordered, with failed items': {
    isOrdered: false,
    run: ({ pool, ways, target, options, input, at }) =>
      pipe(
        ndjson<Row>(files(input('ndjson'))),
        pool.filter(isWanted, ways),
        pool.imapUnordered(overtaken, { ...ways, errors: rejects(at('bad.ndjson')) }),
        commit(target, options),
      ),
  },
}
