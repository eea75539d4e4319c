/** A run that is shown, recorded or both, until the caller says that it has ended. Options are checked before. */
import type { Origin, StreamEnd } from '../stream/origin.js'
import { systemClock, type Clock } from './clock.js'
import { openDisplay, type Display, type OffTerminal } from './display.js'
import { FigureReader } from './figures.js'
import { Report } from './report/report.js'
import type { OutputFile } from './report/run-report.js'
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
   * Shows the last state, and writes the report. Only the first call counts. It rejects if the report cannot be written.
   *
   * @param outputs The files that the run has made.
   */
  async end(end: StreamEnd, outputs: readonly OutputFile[] = []): Promise<void> {
    this.#reader.end(end.how)
    this.#display?.end()
    this.#display = undefined
    await this.#report?.write(end, outputs)
  }
}
