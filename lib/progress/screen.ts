/**
 * The status lines at the bottom of a terminal, below what others write there. Before somebody else writes to the
 * terminal, the lines are cleared, and drawn again afterwards. It draws at most ten times a second.
 */
import { fstatSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { standardOutput } from '../io/standard-output.js'
import { systemClock, type Clock } from './clock.js'
import { widthOf } from './text.js'

const REDRAW_INTERVAL_MS = 100
const DEFAULT_COLUMNS = 80
const DEFAULT_ROWS = 24

export interface Terminal extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  hasColors?(): boolean
}

/** A status line: its text in at most this many columns; undefined: nothing is shown. */
type Line = (columns: number) => string | undefined

const screens = new WeakMap<Terminal, Screen>()

export class Screen {
  readonly #terminal: Terminal
  readonly #clock: Clock
  readonly #lines = new Set<Line>()
  /** The streams that write to the terminal, while lines are shown: gives each its own `write` back. */
  #releases: (() => void)[] = []
  #stop: (() => void) | undefined
  /** The texts that are shown, without colours. */
  #shown: readonly string[] = []
  #isDrawing = false
  /** Whether somebody has written a line without its end: the lines must not overwrite it. */
  #isMidLine = false

  /** The screen of a terminal, which all status lines on it share. */
  static of(terminal: Terminal, clock: Clock = systemClock): Screen {
    let screen = screens.get(terminal)
    if (screen === undefined) {
      screen = new Screen(terminal, clock)
      screens.set(terminal, screen)
    }
    return screen
  }

  private constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal
    this.#clock = clock
  }

  add(line: Line): void {
    this.#lines.add(line)
    if (this.#stop !== undefined) return
    this.#stop = this.#clock.every(REDRAW_INTERVAL_MS, () => {
      this.#draw()
    })
    this.#releases = sharing(this.#terminal).map((stream) => this.#watch(stream))
  }

  /** @param last Stays on the terminal, above the other lines. */
  remove(line: Line, last?: string): void {
    if (!this.#lines.delete(line)) return
    this.#clear()
    if (last !== undefined) this.#write(`${this.#isMidLine ? '\n' : ''}${last}\n`)
    if (last !== undefined) this.#isMidLine = false
    if (this.#lines.size > 0) {
      this.#draw()
      return
    }
    this.#stop?.()
    this.#stop = undefined
    for (const release of this.#releases.splice(0)) release()
  }

  #draw(): void {
    // A slow terminal gets no more lines than it can show.
    if (this.#isMidLine || this.#terminal.writableNeedDrain) return
    const columns = Math.max(1, (this.#terminal.columns ?? DEFAULT_COLUMNS) - 1)
    const texts = Array.from(this.#lines, (line) => line(columns)).filter((text) => text !== undefined)
    const shown = texts.slice(0, Math.max(1, (this.#terminal.rows ?? DEFAULT_ROWS) - 1))
    if (shown.length === 0 && this.#shown.length === 0) return
    this.#write(`${this.#clearing()}${shown.join('\n')}`)
    this.#shown = shown
  }

  #clear(): void {
    if (this.#shown.length > 0) this.#write(this.#clearing())
    this.#shown = []
  }

  /** The cursor is at the end of the last line that is shown. If the terminal is narrower now, lines take several rows. */
  #clearing(): string {
    const columns = this.#terminal.columns ?? DEFAULT_COLUMNS
    const rows = this.#shown.reduce(
      (sum, text) => sum + Math.max(1, Math.ceil(widthOf(withoutStyle(text)) / columns)),
      0,
    )
    return `\r${rows > 1 ? `\x1b[${rows - 1}A` : ''}\x1b[J`
  }

  #write(text: string): void {
    this.#isDrawing = true
    try {
      writeSafely(this.#terminal, text)
    } finally {
      this.#isDrawing = false
    }
  }

  /** Clears the lines before each write to a stream. @returns Ends that. */
  #watch(stream: Writable): () => void {
    const before = Object.getOwnPropertyDescriptor(stream, 'write')
    const original = stream.write.bind(stream) as (...args: readonly unknown[]) => boolean
    let isWatched = true
    const write = (...args: readonly unknown[]): boolean => {
      if (isWatched && !this.#isDrawing) {
        this.#clear()
        this.#isMidLine = !endsLine(args[0])
      }
      return original(...args)
    }
    stream.write = write as Writable['write']
    return () => {
      isWatched = false
      // Somebody else may have replaced it since then.
      if (stream.write !== (write as Writable['write'])) return
      if (before === undefined) delete (stream as Partial<Pick<Writable, 'write'>>).write
      else Object.defineProperty(stream, 'write', before)
    }
  }
}

/** By output, how many writes are under way. */
const writing = new WeakMap<Writable, number>()

/** Writes, and ignores that nobody reads: progress must not end a program. */
export function writeSafely(output: Writable, text: string): void {
  if (output.destroyed || output.writableEnded) return
  const count = writing.get(output) ?? 0
  // A stream without a listener would throw the error. The listener stays while writes are under way.
  if (count === 0) output.on('error', ignore)
  writing.set(output, count + 1)
  output.write(text, () => {
    // The event of an error comes after this call.
    setImmediate(written, output).unref()
  })
}

function written(output: Writable): void {
  const count = (writing.get(output) ?? 1) - 1
  writing.set(output, count)
  if (count === 0) output.off('error', ignore)
}

function ignore(): void {
  // Nobody reads the progress.
}

function endsLine(chunk: unknown): boolean {
  if (typeof chunk === 'string') return chunk === '' || chunk.endsWith('\n')
  return chunk instanceof Uint8Array && (chunk.length === 0 || chunk.at(-1) === 0x0a)
}

function withoutStyle(text: string): string {
  return text.replace(/\x1b\[\d+m/g, '')
}

/** The streams that write to the same terminal. */
function sharing(terminal: Terminal): Writable[] {
  const standard: readonly Terminal[] = [standardOutput(), process.stderr]
  if (!standard.includes(terminal)) return [terminal]
  return standard.filter((stream) => stream === terminal || (stream.isTTY === true && isSameTerminal()))
}

function isSameTerminal(): boolean {
  try {
    return fstatSync(1).rdev === fstatSync(2).rdev
  } catch {
    // One of them is closed.
    return false
  }
}
