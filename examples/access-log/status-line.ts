/** A line that shows what the program does, while it does it: on a terminal only, and gone at the end. */
import type { WriteStream } from 'node:tty'
import { fit } from './text.js'

const INTERVAL = 100
const CLEAR = '\r\x1b[K'

/** Shows a text on `terminal`, if it is one, until disposed of. */
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
