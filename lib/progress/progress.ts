/** The function `progress()`: shows how far a stream is, while somebody else reads it. */
import { Writable } from 'node:stream'
import { received, typeError } from '../errors.js'
import { OptionReader } from '../options.js'
import { onEndOf, originOf, type Origin } from '../stream/origin.js'
import { isThenable } from '../thenable.js'
import type { Clock } from './clock.js'
import { ObservedRun, type ShownRun } from './observed-run.js'
import { isReportPath, REPORT_PATH } from './report/report.js'
import type { Terminal } from './screen.js'

const ACTION = 'show progress'

/** Options of `progress`. */
export interface ProgressOptions {
  /**
   * What is written if the output is not a terminal. `'plain'`: a line of text every 10 seconds, and one at the end.
   * `'json'`: an object every second, and one at the end, each in a line. Default: nothing.
   */
  readonly offTerminal?: 'plain' | 'json' | undefined
  /** Where it is written: a Node stream. It is a terminal if its `isTTY` is true. Default: `process.stderr`. */
  readonly output?: Writable | undefined
  /**
   * The path of a report, which is written when the run ends. It ends with `.html` (a page with charts and tables),
   * `.svg` (a picture) or `.json` (the data). The page is one file, which loads nothing. If the report cannot be written,
   * that is a warning of the process. Default: none.
   */
  readonly report?: string | undefined
}

/**
 * Shows how far a stream is, until it ends. It reads nothing from the stream: you do, with a loop or a stage.
 *
 * On a terminal it keeps one line up to date, at most ten times a second. It has the file, the share that is done, bytes,
 * rate, items, failed items, the load of the workers and the time that is left. On a narrow terminal the less important
 * figures are left out. What the program prints meanwhile stands above the line. When the stream ends, a last
 * line says how long it took, and what held the stream back (see `limit` of `StreamStats`). If `TERM` is `dumb`, it is
 * not taken for a terminal. Colours follow `NO_COLOR`.
 *
 * It costs a few microseconds ten times a second, and nothing for each item. It does not keep the program alive. An
 * error of its output is ignored.
 *
 * @param stream A stream, a part of it, batches of it, or a source of bytes such as `lines()`.
 * @param options `offTerminal` (default: nothing is written there), `output` (default: `process.stderr`), `report`
 * (default: none).
 * @returns Ends the display when it is disposed of. It also ends by itself with the stream.
 * @throws {TypeError | RangeError} At the call: `ERR_INVALID_SOURCE` for another source, `ERR_INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, progress, task } from 'millrace'
 *
 * const square = task(import.meta.url, 'square', (x: number) => x * x)
 *
 * if (isMainThread) {
 *   const squares = imap(square, [1, 2, 3])
 *   using _ = progress(squares)
 *   let sum = 0
 *   for await (const y of squares) sum += y
 *   console.log(sum)
 *   // → 14
 * }
 * ```
 */
export function progress(stream: object, options?: ProgressOptions): Disposable {
  const origin = typeof stream === 'object' && stream !== null ? originOf(stream) : undefined
  if (origin === undefined) {
    const cure = isThenable(stream) ? ' (for the promise of write(): its option progress: true)' : ''
    throw typeError(
      'ERR_INVALID_SOURCE',
      `Cannot ${ACTION} as it needs a stream, or a source of bytes such as lines(): received ${received(stream)}${cure}`,
    )
  }
  const read = new OptionReader<ProgressOptions>(ACTION, options, ['offTerminal', 'output', 'report'])
  const shown = {
    report: read.value('report', REPORT_PATH, isReportPath),
    offTerminal: read.oneOf('offTerminal', ['plain', 'json']),
    output: read.value('output', 'a Writable of Node', (value) => value instanceof Writable) as Terminal | undefined,
  }
  return showStream(origin, shown)
}

/** Shows a stream until it ends. The options are checked. */
export function showStream(origin: Origin, { report, ...display }: ShownRun, clock?: Clock): Disposable {
  const run = new ObservedRun(origin, display, clock)
  const recorded = report === undefined ? undefined : new ObservedRun(origin, { isShown: false, report }, clock)
  onEndOf(origin, (end) => {
    void run.end(end)
    void recorded?.end(end)
  })
  return {
    [Symbol.dispose]: () => {
      void run.end({ how: 'left' })
    },
  }
}
