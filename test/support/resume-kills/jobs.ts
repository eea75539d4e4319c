/** What the runs do that are killed: all kinds of inputs, stages and outputs. */
import {
  batch,
  csv,
  files,
  json,
  lines,
  ndjson,
  pipe,
  rejects,
  write,
  type Pool,
  type WriteOptions,
  type WriteResult,
} from 'millrace'
import { hasZstd } from './inputs.js'
import { check, clean, isWanted, overtaken, pieces, shorten, type Row } from './tasks.js'

/** How a run is done. The outputs must not depend on it. */
export interface Ways {
  readonly workers: number
  readonly chunksize?: number
  readonly window?: number
}

export interface Run {
  readonly pool: Pool
  readonly ways: Ways
  /** The options of `write()` that all jobs share. */
  readonly options: WriteOptions
  /** The paths of the input files of a kind, such as 'csv.gz'. */
  readonly input: (suffix: string) => string
  /** The path of an output. */
  readonly at: (name: string) => string
}

export interface Job {
  /** The output whose checkpoint it is. */
  readonly target: string
  /** Whether the records of the outputs have an order. */
  readonly isOrdered: boolean
  readonly run: (run: Run) => Promise<WriteResult>
}

function ordered(target: string, run: Job['run']): Job {
  return { target, isOrdered: true, run }
}

const JOBS: Readonly<Record<string, Job>> = {
  'CSV to CSV, with rejects': ordered('out.csv', ({ pool, ways, options, input, at }) =>
    pipe(
      csv<Row>(files(input('csv'))),
      pool.imap(clean, { ...ways, errors: rejects(at('bad.ndjson')) }),
      write(at('out.csv'), options),
    ),
  ),
  'NDJSON, filtered, to gzip': ordered('out.ndjson.gz', ({ pool, ways, options, input, at }) =>
    pipe(ndjson<Row>(files(input('ndjson'))), pool.filter(isWanted, ways), write(at('out.ndjson.gz'), options)),
  ),
  'lines of gzip, flattened': ordered('out.txt', ({ pool, ways, options, input, at }) =>
    pipe(lines(files(input('txt.gz'))), pool.flatMap(pieces, ways), write(at('out.txt'), options)),
  ),
  'CSV of gzip to partitions, with rejects': ordered('parts', ({ pool, ways, options, input, at }) =>
    pipe(
      csv<Row>(files(input('csv.gz'))),
      pool.imap(clean, { ...ways, errors: rejects(at('bad.ndjson')) }),
      write(at('parts'), { ...options, partition: 'kind' }),
    ),
  ),
  'NDJSON of gzip, a file of gzip for each': ordered('{name}.ndjson.gz', ({ pool, ways, options, input, at }) =>
    pipe(
      ndjson<Row>(files(input('ndjson.gz'))),
      pool.imap(clean, { ...ways, errors: 'skip' }),
      write(at('{name}.ndjson.gz'), options),
    ),
  ),
  'two stages, each with rejects': ordered('out.json', ({ pool, ways, options, input, at }) =>
    pipe(
      ndjson<Row>(files(input('ndjson'))),
      pool.imap(clean, { ...ways, errors: rejects(at('unclean.ndjson')) }),
      pool.imap(check, { ...ways, errors: rejects(at('unchecked.ndjson')) }),
      write(at('out.json'), options),
    ),
  ),
  batches: ordered('out.ndjson', ({ pool, ways, options, input, at }) =>
    pipe(lines(files(input('txt'))), pool.imap(shorten, ways), batch(70), write(at('out.ndjson'), options)),
  ),
  'lines without a stage, to gzip': ordered('out.txt.gz', ({ options, input, at }) =>
    pipe(lines(files(input('txt'))), write(at('out.txt.gz'), options)),
  ),
  'JSON to compressed partitions': ordered('parts', ({ pool, ways, options, input, at }) =>
    pipe(
      json<Row>(files(input('json'))),
      pool.imap(clean, { ...ways, errors: 'skip' }),
      write(at('parts'), { ...options, partition: 'kind', format: 'ndjson', compress: 'gzip' }),
    ),
  ),
  'unordered, with rejects': {
    target: 'out.ndjson',
    isOrdered: false,
    run: ({ pool, ways, options, input, at }) =>
      pipe(
        csv<Row>(files(input('csv'))),
        pool.imapUnordered(overtaken, { ...ways, errors: rejects(at('bad.ndjson')) }),
        write(at('out.ndjson'), options),
      ),
  },
}

/** Node 20 has no zstd. */
const ZSTD_JOBS: Readonly<Record<string, Job>> = {
  'CSV of zstd to zstd': ordered('out.ndjson.zst', ({ pool, ways, options, input, at }) =>
    pipe(
      csv<Row>(files(input('csv.zst'))),
      pool.imap(clean, { ...ways, errors: 'skip' }),
      write(at('out.ndjson.zst'), options),
    ),
  ),
}

const jobs: Readonly<Record<string, Job>> = { ...JOBS, ...(hasZstd && ZSTD_JOBS) }
export const JOB_NAMES: readonly string[] = Object.keys(jobs)

export function jobOf(name: string): Job {
  const job = jobs[name]
  if (job === undefined) throw new Error(`There is no job '${name}': ${JOB_NAMES.join(', ')}`)
  return job
}
