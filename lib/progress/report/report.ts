/**
 * The report of a run: records from now on, and writes a file when the run has ended. What makes the file is loaded only
 * then, as it is larger than the rest of the library.
 */
import type { Origin, StreamEnd } from '../../stream/origin.js'
import { systemClock, type Clock } from '../clock.js'
import { Recorder, type WholeRun } from './recorder.js'

const SUFFIX = /[.](?:html|svg|json)$/i

/** For the error text of an option. */
export const REPORT_PATH = "a path that ends with '.html', '.svg' or '.json'"

export function isReportPath(value: unknown): boolean {
  return typeof value === 'string' && SUFFIX.test(value)
}

export class Report {
  readonly #path: string
  readonly #recorder: Recorder
  #written: Promise<void> | undefined

  constructor(origin: Origin, path: string, clock: Clock = systemClock) {
    this.#path = path
    this.#recorder = new Recorder(origin, clock)
  }

  /** Writes the report. Rejects if that fails. Later calls give the same promise. */
  write(end: StreamEnd, whole: WholeRun = {}): Promise<void> {
    this.#written ??= this.#write(end, whole)
    return this.#written
  }

  async #write(end: StreamEnd, whole: WholeRun): Promise<void> {
    const report = this.#recorder.finish(end, whole)
    const { writeReport } = await import('./write-report.js')
    await writeReport(this.#path, report)
  }
}
