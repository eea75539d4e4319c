/** The outcome of a run in a few words: how it ended, its figures, and what held it back. */
import { basename } from 'node:path'
import { bytes, duration, integer, percent, plural } from '../text.js'
import type { RunReport } from './run-report.js'

export interface Figure {
  readonly label: string
  readonly value: string
  /** A short addition, such as a rate. */
  readonly note?: string
  readonly isAlarm?: boolean
}

/** The program without its folder, and its arguments. */
export function titleOf({ run }: RunReport): string {
  const [, script = 'a program', ...args] = run.command
  return [basename(script), ...args].join(' ')
}

export function endOf({ run, totals }: RunReport): {
  readonly text: string
  readonly mood: 'good' | 'warning' | 'bad'
} {
  if (run.end === 'failed') return { text: 'failed', mood: 'bad' }
  if (run.end === 'left') return { text: 'stopped before the end', mood: 'warning' }
  return totals.failed > 0 ? { text: 'done, with failed items', mood: 'warning' } : { text: 'done', mood: 'good' }
}

export function figuresOf({ run, totals, stages, inputCount }: RunReport): Figure[] {
  const seconds = Math.max(run.duration, 1) / 1000
  const workers = Math.max(0, ...stages.map((stage) => stage.workers))
  const figures: (Figure | undefined)[] = [
    { label: 'Duration', value: duration(run.duration) },
    stages.length === 0
      ? undefined
      : { label: 'Items', value: integer(totals.items), note: `${integer(totals.items / seconds)} a second` },
    totals.bytes === undefined
      ? undefined
      : {
          label: inputCount > 1 ? `Read from ${plural(inputCount, 'source')}` : 'Read',
          value: bytes(totals.bytes),
          note: `${bytes(totals.bytes / seconds)}/s`,
        },
    totals.bytesEarlier === undefined
      ? undefined
      : { label: 'Resumed after', value: bytes(totals.bytesEarlier), note: 'read by an earlier run' },
    stages.length === 0
      ? undefined
      : {
          label: 'Failed',
          value: integer(totals.failed),
          note: totals.items > 0 ? `${share(totals.failed / totals.items)} of the items` : '',
          isAlarm: totals.failed > 0,
        },
    workers === 0
      ? undefined
      : { label: 'Workers busy', value: percent(totals.busy), note: `of ${plural(workers, 'worker')}` },
    { label: 'Peak memory', value: bytes(totals.peakMemory) },
  ]
  return figures.filter((figure) => figure !== undefined)
}

/** Workers that are less busy than this do more than compute. */
const MIN_BUSY = 0.6

/** What held the run back, and what to do about it. */
export function verdictOf({ stages, totals }: RunReport): string | undefined {
  const shares = stages.at(-1)?.shares
  if (shares === undefined || totals.limit === undefined) return undefined
  const { limit, busy } = totals
  const load = `The workers were busy ${percent(busy)} of the time.`
  if (limit === 'source') {
    return `The source held the run back: it was busy ${percent(shares.source)} of the time. ${load} A faster source would help, more workers would not.`
  }
  if (limit === 'consumer') {
    return `The consumer held the run back: what reads the results was busy ${percent(shares.consumer)} of the time. ${load} More work in the task and less in the loop would help, more workers would not.`
  }
  if (busy >= MIN_BUSY)
    return `The workers held the run back. ${load} More workers, or a task that costs less, would help.`
  return `The workers held the run back. ${load} The rest went to their start, to sending items and results, or to other work on the machine or in the pool.`
}

/** A small share needs its digits: `0.003 %`. */
function share(value: number): string {
  if (value === 0) return 'none'
  return value >= 0.01 ? percent(value) : `${Number((value * 100).toPrecision(1))} %`
}
