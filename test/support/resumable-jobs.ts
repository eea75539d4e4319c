/** Small runs of `write()` that can go on, with all kinds of outputs. For tests that stop them anywhere. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Items } from '#dist/codec/batch.js'
import { offerBatches } from '#dist/io/source.js'
import { offerResume, type MarkRequest, type ResumePoint } from '#dist/resume/mark.js'
import { rejects } from '#dist/sinks/rejects.js'
import { write } from '#dist/sinks/write.js'
import { imap } from '#dist/verbs/imap.js'

interface Row {
  readonly id: number
  readonly text: string
}

const BATCH = 5
const BATCHES_BETWEEN = 3
const rows: readonly Row[] = Array.from({ length: 60 }, (_, id) => ({ id, text: 'x,"y'.repeat(id % 7) }))

/**
 * The rows. Behind each mark come some batches, and then it waits until another mark is asked for. So there are as many
 * checkpoints as there can be. There are always records that are written while one is made.
 */
function markedRows(): AsyncIterable<Row> {
  const source = {
    [Symbol.asyncIterator]: (): never => {
      throw new Error('It is read in batches alone')
    },
  }
  let at = 0
  let sinceMark = 0
  let request: MarkRequest | undefined
  let isClosed = false
  const point: ResumePoint = {
    source: undefined,
    plan: 'rows',
    begin: (given, note) => {
      request = given
      at = (note as number | undefined) ?? 0
    },
    noteEnd: (mark) => {
      mark.notes.set(point, at)
    },
  }
  offerResume(source, point)
  offerBatches(source, () => ({
    next: async () => {
      for (let wait = 0; sinceMark >= BATCHES_BETWEEN && request?.isDue === false && !isClosed; wait++) {
        if (wait > 1_000) throw new Error('No mark is asked for')
        await setTimeout(1)
      }
      const mark = request?.take()
      if (mark !== undefined) {
        sinceMark = 0
        mark.notes.set(point, at)
        return mark
      }
      if (at >= rows.length) return undefined
      sinceMark++
      const items = rows.slice(at, at + BATCH)
      at += items.length
      return new Items(items)
    },
    close: () => {
      isClosed = true
    },
  }))
  return source
}

/** Each fifth one is bad. */
function clean(row: Row): object {
  if (row.id % 5 === 3) throw new Error(`bad ${row.text}`)
  return { ...row, kind: row.id % 4 }
}

const often = { resume: { interval: 1 } } as const

/** A run in a folder. Its files are the same each time. */
export type Job = (at: (name: string) => string) => Promise<unknown>

export const jobs: Readonly<Record<string, Job>> = {
  'a file, and one of failed items': (at) => {
    const errors = rejects(at('bad.ndjson'))
    return write(at('a.csv'), often)(imap(clean, markedRows(), { workers: 0, errors }))
  },
  'a compressed file in a new folder, which replaces none': (at) => {
    const errors = rejects(at(join('y', 'bad.ndjson')))
    return write(at(join('x', 'a.json.gz')), { ...often, overwrite: false })(
      imap(clean, markedRows(), { workers: 0, errors }),
    )
  },
  'compressed partitions': (at) => {
    const options = { ...often, partition: 'kind', compress: 'gzip' } as const
    return write(at('parts'), options)(imap(clean, markedRows(), { workers: 0, errors: 'skip' }))
  },
}

/** All files in a folder, by their names. */
export function contentsOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort()
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'latin1')]))
}

/** Runs it to its end. If that was reached before, a run that replaces no file refuses. */
export async function runToEnd(job: Job, folder: string, at: (name: string) => string): Promise<void> {
  try {
    await job(at)
  } catch (error) {
    const isOver = !Object.keys(contentsOf(folder)).some((name) => name.endsWith('.checkpoint'))
    if ((error as { code?: unknown }).code !== 'ERR_OUTPUT_EXISTS' || !isOver) throw error
    for (const name of Object.keys(contentsOf(folder))) if (name.includes('.checkpoint.')) rmSync(join(folder, name))
  }
}

const { pid } = spawnSync(process.execPath, ['-e', ''])

/** Lets the locks in a folder be those of a process that is gone, as that of a killed run is. */
export function abandonLocks(folder: string): void {
  if (!existsSync(folder)) return
  for (const name of Object.keys(contentsOf(folder))) {
    if (!/\.lock(\.takeover)?$/.test(name)) continue
    const holder = { pid, host: hostname(), since: new Date().toISOString() }
    writeFileSync(join(folder, name), JSON.stringify(holder))
  }
}
