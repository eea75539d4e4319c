/** Small runs of `commit()`, with all kinds of sources and stages. For tests that stop them anywhere. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { lines } from '#dist/io/lines.js'
import { commit, type CommitResult } from '#dist/sinks/commit.js'
import type { CommitTarget } from '#dist/sinks/commit-options.js'
import { rejects } from '#dist/sinks/rejects.js'
import { csv } from '#dist/sources/csv.js'
import { files } from '#dist/sources/files.js'
import { ndjson } from '#dist/sources/ndjson.js'
import { resumable } from '#dist/sources/resumable.js'
import { batch } from '#dist/verbs/batch.js'
import { filter } from '#dist/verbs/filter.js'
import { flatMap } from '#dist/verbs/flat-map.js'
import { imap, imapUnordered } from '#dist/verbs/imap.js'
import { pipe } from '#dist/pipe.js'

interface Row {
  readonly id: number | string
  readonly text: string
}

const FILES = 3
const ROWS = 40
const rows: readonly Row[] = Array.from({ length: FILES * ROWS }, (_, id) => ({ id, text: 'x,"y'.repeat(id % 7) }))

const TEXTS: Readonly<Record<string, (rows: readonly Row[]) => string | Buffer>> = {
  csv: (rows) => ['id,text', ...rows.map(({ id, text }) => `${id},"${text.replaceAll('"', '""')}"`), ''].join('\n'),
  // The last line has no end.
  txt: (rows) => rows.map(({ id, text }) => `${id} ${text}`).join('\n'),
  'ndjson.gz': (rows) => gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
}

/** Writes the inputs of the jobs into a folder. */
export function makeInputs(folder: string): void {
  for (const [format, textOf] of Object.entries(TEXTS)) {
    mkdirSync(join(folder, format), { recursive: true })
    for (let file = 0; file < FILES; file++)
      writeFileSync(join(folder, format, `${file}.${format}`), textOf(rows.slice(file * ROWS, (file + 1) * ROWS)))
  }
}

export interface CommitJob {
  /** Whether its rows are in order. */
  readonly isOrdered: boolean
  /**
   * @param inputs The folder of the inputs.
   * @param output Of the files of failed items.
   */
  readonly run: (target: CommitTarget<unknown>, inputs: string, output: string) => Promise<CommitResult>
}

const here = { workers: 0, window: 9 } as const
const often = { items: 10 } as const

function ordered(run: CommitJob['run']): CommitJob {
  return { isOrdered: true, run }
}

/** Each fifth one is bad. */
function clean({ id, text }: Row): object {
  if (Number(id) % 5 === 3) throw new Error(`bad ${text}`)
  return { id: Number(id), text }
}

/** Some take longer, so that others overtake them. */
async function overtaken(row: Row): Promise<object> {
  if (Number(row.id) % 4 === 0) await new Promise(setImmediate)
  return clean(row)
}

export const commitJobs: Readonly<Record<string, CommitJob>> = {
  'CSV files with failed items': ordered((target, inputs, output) =>
    pipe(
      csv<Row & Record<string, string>>(files(join(inputs, 'csv', '*'))),
      imap(clean, { ...here, errors: rejects(join(output, 'bad.ndjson')) }),
      commit(target, often),
    ),
  ),
  'compressed files in batches': ordered((target, inputs) =>
    pipe(
      ndjson<Row>(files(join(inputs, 'ndjson.gz', '*'))),
      imap(clean, { ...here, errors: 'skip' }),
      batch(7),
      commit(target, { items: 2 }),
    ),
  ),
  'lines that are left out or divided': ordered((target, inputs) =>
    pipe(
      lines(files(join(inputs, 'txt', '*'))),
      filter((line: string) => line.length % 3 > 0, here),
      flatMap((line: string) => [line, line.length], here),
      commit(target, often),
    ),
  ),
  'lines without a stage': ordered((target, inputs) =>
    pipe(lines(files(join(inputs, 'txt', '*'))), commit(target, often)),
  ),
  'an array, up to a number of results': ordered((target) =>
    commit(target, often)(imap(clean, [...rows], { ...here, errors: 'skip' }).take(50)),
  ),
  'your own data, unordered, with failed items': {
    isOrdered: false,
    run: (target, _, output) =>
      pipe(
        resumable(function* (from: number | undefined) {
          for (const row of rows) if (Number(row.id) > (from ?? -1)) yield [row, Number(row.id)] as const
        }),
        imapUnordered(overtaken, { ...here, concurrency: 4, errors: rejects(join(output, 'bad.ndjson')) }),
        commit(target, often),
      ),
  },
}
