/** Figures of a run as text: at a signal, and at the end. */
import { systemClock } from '../../progress/clock.js'
import { FigureReader } from '../../progress/figures.js'
import { lastLine, plainLine } from '../../progress/status-line.js'
import { bytes, duration, integer } from '../../progress/text.js'
import { originOf } from '../../stream/origin.js'
import type { FailureCount } from './failures.js'

/** How many reasons of failures the summary names. */
const REASONS = 3

export class Status {
  readonly #reader: FigureReader

  /** @param source What the run reads: its last stage, or the source of a fold. */
  constructor(source: object) {
    this.#reader = new FigureReader(originOf(source) ?? { input: undefined, stages: [] }, systemClock)
  }

  get now(): string {
    return plainLine(this.#reader.read())
  }

  /** The figures of the whole run. @param elapsed In milliseconds. */
  end(elapsed: number): string {
    this.#reader.end('done', elapsed)
    return lastLine(this.#reader.read(), duration(elapsed))
  }
}

/** Why items have failed, and what the process has used. */
export function costLines(failures: FailureCount): string[] {
  const { user, system } = process.cpuUsage()
  const { maxRSS } = process.resourceUsage()
  const reasons = failures.top(REASONS).map(([reason, times]) => `${integer(times)} × ${reason}`)
  return [...reasons, `CPU time ${duration((user + system) / 1000)}, at most ${bytes(maxRSS * 1024)} of memory`]
}
