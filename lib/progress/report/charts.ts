/** What the charts of a report show: their lines, and how their numbers are written. The page and the picture draw them. */
import type { RunReport } from './run-report.js'

/** How numbers are written: a count, bytes, a share from 0 to 1, or milliseconds. */
export type Unit = 'count' | 'perSecond' | 'bytes' | 'bytesPerSecond' | 'share' | 'time'

export interface Line {
  readonly label: string
  readonly unit: Unit
  readonly values: readonly (number | null)[]
  /** Whether its numbers stand on the right: it has another unit than the line before. */
  readonly isRight?: boolean
}

export interface Chart {
  readonly title: string
  readonly lines: readonly Line[]
  /** Whether each step is ten times the one before. */
  readonly isLogarithmic?: boolean
  /** The highest number of the scale; default: what the values need. */
  readonly top?: number
}

/** The charts of a report, the most important one first. All have the times of `samples.time`. */
export function chartsOf({ samples, stages, totals }: RunReport): Chart[] {
  const charts: Chart[] = []
  const throughput: Line[] = []
  if (stages.length > 0) throughput.push({ label: 'items/s', unit: 'perSecond', values: samples.itemsPerSecond })
  if (totals.bytes !== undefined) {
    const isRight = throughput.length > 0
    throughput.push({ label: 'read', unit: 'bytesPerSecond', values: samples.bytesPerSecond, isRight })
  }
  if (throughput.length > 0) charts.push({ title: 'Throughput', lines: throughput })
  if (stages.length > 0) {
    charts.push(
      { title: 'Busy workers', lines: [{ label: 'busy', unit: 'share', values: samples.busy }], top: 1 },
      {
        title: 'Time per item',
        lines: [
          { label: 'average', unit: 'time', values: samples.itemTime },
          { label: 'slowest', unit: 'time', values: samples.slowestItemTime },
        ],
        isLogarithmic: true,
      },
      { title: 'Items per chunk', lines: [{ label: 'items', unit: 'count', values: samples.itemsPerChunk }] },
    )
  }
  if (totals.failed > 0) {
    charts.push({ title: 'Failed items', lines: [{ label: 'failed', unit: 'count', values: samples.failed }] })
  }
  charts.push({
    title: 'Memory',
    lines: [
      { label: 'process', unit: 'bytes', values: samples.memory },
      { label: 'heap of the main thread', unit: 'bytes', values: samples.heap },
    ],
  })
  return charts
}
