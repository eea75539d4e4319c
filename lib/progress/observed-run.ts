/** A run that is shown, recorded or both, until the caller says that it has ended. Options are checked before. */
import type { Origin, StreamEnd } from '../stream/origin.js'
import { systemClock, type Clock } from './clock.js'
import { openDisplay, type Display, type OffTerminal } from './display.js'
import { FigureReader } from './figures.js'
import { Report } from './report/report.js'
import type { WholeRun } from './report/recorder.js'
import type { Terminal } from './screen.js'

export interface ShownRun {
  /** Whether progress is shown. Default: true. */
  readonly isShown?: boolean
  /** What is written if the output is not a terminal. Default: nothing. */
  readonly offTerminal?: OffTerminal | undefined
  /** Default: standard error. */
  readonly output?: Terminal | undefined
  /** The path of its report. Default: none. */
  readonly report?: string | undefined
}

/** Nothing is known of the source. */
const UNKNOWN: Origin = { input: undefined, stages: [] }

export class ObservedRun {
  readonly #reader: FigureReader
  #display: Display | undefined
  readonly #report: Report | undefined

  /** @param origin Undefined: nothing is known of the source. */
  constructor(
    origin: Origin | undefined,
    { isShown = true, offTerminal, output = process.stderr, report }: ShownRun,
    clock: Clock = systemClock,
  ) {
    const known = origin ?? UNKNOWN
    this.#reader = new FigureReader(known, clock)
    this.#display = isShown ? openDisplay(this.#reader, output, offTerminal, clock) : undefined
    this.#report = report === undefined ? undefined : new Report(known, report, clock)
  }

  /**
   * Shows the last state, and writes the report. Only the first call counts. It never rejects: what the run has done is
   * done. That a report cannot be written is a warning of the process.
   *
   * @param whole What is known of the run when it ended later than its stream.
   */
  async end(end: StreamEnd, whole: WholeRun = {}): Promise<void> {
    this.#reader.end(end.how, whole.duration)
    this.#display?.end()
    this.#display = undefined
    try {
      await this.#report?.write(end, whole)
    } catch (error) {
      process.emitWarning(`Cannot write the report of a run: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
