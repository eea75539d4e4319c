/** The line that shows how far the reading is, while it goes on: on a terminal only, and gone at the end. */
import type { WriteStream } from 'node:tty'
import type { Summary } from './summary.js'
import { bytes, fit, integer, plural } from './text.js'

const INTERVAL = 100
const CLEAR = '\r\x1b[K'

/** Shows a summary's growth on `terminal`, if it is one, until disposed of. */
export class StatusLine implements Disposable {
  readonly #terminal: WriteStream
  readonly #timer: NodeJS.Timeout | undefined

  constructor(terminal: WriteStream, text: () => string) {
    this.#terminal = terminal
    if (!terminal.isTTY) return
    const show = (): void => {
      // A line that wraps could not be cleared.
      terminal.write(`${CLEAR}${fit(text(), terminal.columns - 1)}`)
    }
    show()
    this.#timer = setInterval(show, INTERVAL)
  }

  /** Clears the line. */
  [Symbol.dispose](): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#terminal.write(CLEAR)
  }
}

/** How much has been read, and how fast, after `seconds`. */
export function progress({ lines, size }: Summary, seconds: number): string {
  return `${bytes(size)}, ${rates(lines, size, seconds)}`
}

/** The last word: what the whole reading took. */
export function timing({ lines, size }: Summary, seconds: number, workers: number): string {
  const total = `${plural(lines, 'line')}, ${bytes(size)} in ${seconds.toFixed(2)} s`
  return `${total}: ${rates(lines, size, seconds)}, ${plural(workers, 'worker')}`
}

function rates(lines: number, size: number, seconds: number): string {
  const per = Math.max(seconds, 0.001)
  return `${integer(Math.round(lines / per))} lines/s, ${(size / 1e6 / per).toFixed(1)} MB/s`
}
