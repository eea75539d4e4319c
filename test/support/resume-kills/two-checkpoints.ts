/**
 * A run of `write()` with `resume` that makes two checkpoints, at the same places each time, and so takes the same steps
 * on disk. It has two outputs and a file of failed items.
 */
import { join } from 'node:path'
import { Items } from '#dist/codec/batch.js'
import { offerBatches } from '#dist/io/source.js'
import { offerResume, type MarkRequest, type ResumePoint } from '#dist/resume/mark.js'
import { rejects } from '#dist/sinks/rejects.js'
import { write, type WriteResult } from '#dist/sinks/write.js'
import { imap } from '#dist/verbs/imap.js'

interface Row {
  readonly id: number
  readonly kind: string
}

const BATCH = 5
const rows: readonly Row[] = Array.from({ length: 60 }, (_, id) => ({ id, kind: 'ab'.charAt(id % 2) }))
/** How many rows come before each checkpoint. */
const MARKS: ReadonlySet<number> = new Set([20, 40])

/**
 * At the place of each mark it waits until one is asked for. Behind the mark it waits until the next one is asked for: then
 * the checkpoint is on disk. If rows came meanwhile, the number of steps would not be the same each time.
 */
function markedRows(): AsyncIterable<Row> {
  const source = {
    [Symbol.asyncIterator]: (): never => {
      throw new Error('It is read in batches alone')
    },
  }
  let at = 0
  let marked = 0
  let isBehindMark = false
  let request: MarkRequest | undefined
  const point: ResumePoint = {
    source: undefined,
    plan: 'rows',
    begin: (given, note) => {
      request = given
      at = marked = (note as number | undefined) ?? 0
    },
    noteEnd: (mark) => {
      mark.notes.set(point, at)
    },
  }
  offerResume(source, point)
  offerBatches(source, () => ({
    next: async () => {
      if (MARKS.has(at) && marked < at && request !== undefined) {
        await asked(request)
        const mark = request.take()
        if (mark === undefined) throw new Error('A mark was asked for')
        marked = at
        isBehindMark = true
        mark.notes.set(point, at)
        return mark
      }
      if (isBehindMark && request !== undefined) await asked(request)
      isBehindMark = false
      if (at >= rows.length) return undefined
      const items = rows.slice(at, at + BATCH)
      at += items.length
      return new Items(items)
    },
    close: () => undefined,
  }))
  return source
}

/** Settles when a mark is asked for. The checkpoint before it is then on disk. */
function asked(request: MarkRequest): Promise<void> {
  return new Promise((resolve) => {
    // The timer that asks does not keep the program alive.
    const alive = setInterval(() => undefined, 1_000)
    const answer = (): void => {
      request.onAsk(undefined)
      clearInterval(alive)
      resolve()
    }
    request.onAsk(answer)
    if (request.isDue) answer()
  })
}

function clean(row: Row): Row {
  if (row.id % 7 === 3) throw new Error(`${row.id} is bad`)
  return row
}

/** Compressed outputs have texts behind their last members, and plain ones are truncated. */
export const COMPRESSIONS = ['gzip', 'none'] as const
export type CompressionName = (typeof COMPRESSIONS)[number]

/** Its files are the same each time. */
export async function runWithTwoCheckpoints(folder: string, compression: CompressionName): Promise<WriteResult> {
  const errors = rejects(join(folder, 'bad.ndjson'))
  const compress = compression === 'none' ? false : compression
  const options = { resume: { interval: 1 }, partition: 'kind', compress } as const
  return await write(join(folder, 'parts'), options)(imap(clean, markedRows(), { workers: 0, errors }))
}
