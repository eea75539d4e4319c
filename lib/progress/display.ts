/** Shows the figures of a pipeline while it runs: as a status line on a terminal, and elsewhere as lines of text or JSON. */
import type { Clock } from './clock.js'
import type { FigureReader, Figures } from './figures.js'
import { Screen, writeSafely, type Terminal } from './screen.js'
import { COLOURED, lastLine, PLAIN, plainLine, statusLine } from './status-line.js'
import { duration } from './text.js'

/** What is written where there is no terminal. */
export type OffTerminal = 'plain' | 'json'

const PLAIN_INTERVAL_MS = 10_000
const JSON_INTERVAL_MS = 1_000

export interface Display {
  /** Shows the last state, and nothing after it. The reader has been told the end. */
  end(): void
}

export function openDisplay(
  reader: FigureReader,
  output: Terminal,
  offTerminal: OffTerminal | undefined,
  clock: Clock,
): Display | undefined {
  if (isTerminal(output)) return new StatusDisplay(reader, output, clock)
  if (offTerminal === undefined) return undefined
  const isPlain = offTerminal === 'plain'
  return new LineDisplay(reader, output, clock, isPlain ? PLAIN_INTERVAL_MS : JSON_INTERVAL_MS, isPlain ? plain : json)
}

/** Whether a line can be drawn again there. */
function isTerminal(output: Terminal): boolean {
  return output.isTTY === true && process.env.TERM !== 'dumb'
}

class StatusDisplay implements Display {
  readonly #reader: FigureReader
  readonly #screen: Screen
  readonly #line: (columns: number) => string | undefined

  constructor(reader: FigureReader, terminal: Terminal, clock: Clock) {
    this.#reader = reader
    this.#screen = Screen.of(terminal, clock)
    // It follows NO_COLOR and FORCE_COLOR.
    const style = terminal.hasColors?.() === true ? COLOURED : PLAIN
    this.#line = (columns) => {
      const figures = reader.read()
      return figures.state === 'waiting' ? undefined : statusLine(figures, columns, style)
    }
    this.#screen.add(this.#line)
  }

  end(): void {
    this.#screen.remove(this.#line, last(this.#reader.read()))
  }
}

class LineDisplay implements Display {
  readonly #reader: FigureReader
  readonly #output: Terminal
  readonly #format: (figures: Figures) => string
  readonly #stop: () => void

  constructor(
    reader: FigureReader,
    output: Terminal,
    clock: Clock,
    interval: number,
    format: (figures: Figures) => string,
  ) {
    this.#reader = reader
    this.#output = output
    this.#format = format
    this.#stop = clock.every(interval, () => {
      const figures = reader.read()
      if (figures.state !== 'waiting') this.#write(figures, false)
    })
  }

  end(): void {
    this.#stop()
    this.#write(this.#reader.read(), true)
  }

  #write(figures: Figures, isLast: boolean): void {
    // Nobody reads as fast as this: the next one is newer. The last one is always written.
    if (this.#output.writableNeedDrain && !isLast) return
    writeSafely(this.#output, `${this.#format(figures)}\n`)
  }
}

function plain(figures: Figures): string {
  return figures.state === 'running' ? plainLine(figures) : last(figures)
}

function last(figures: Figures): string {
  return lastLine(figures, duration(figures.elapsed))
}

/** Times in milliseconds; what is unknown is left out. */
function json(figures: Figures): string {
  const { elapsed, bytesPerSecond, itemsPerSecond, timeLeft, busy } = figures
  const round = (n: number | undefined): number | undefined => (n === undefined ? undefined : Math.round(n))
  return JSON.stringify({
    ...figures,
    elapsed: round(elapsed),
    busy: Math.round(busy * 1000) / 1000,
    bytesPerSecond: round(bytesPerSecond),
    itemsPerSecond: round(itemsPerSecond),
    timeLeft: round(timeLeft),
  })
}
