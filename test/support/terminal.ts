/** A terminal for tests: a `Writable` that keeps what was written, and what stands on its screen after it. */
import { Writable } from 'node:stream'

export class FakeTerminal extends Writable {
  readonly isTTY = true
  columns: number
  rows = 24
  written = ''
  /** How often it was written to. */
  writes = 0
  #rows: string[] = ['']
  #row = 0
  #column = 0

  constructor(columns = 80) {
    super({ decodeStrings: false })
    this.columns = columns
  }

  /** What stands on the screen: its rows, without spaces at their ends and without empty rows at the end. */
  get screen(): string[] {
    const rows = this.#rows.map((row) => row.trimEnd())
    while (rows.at(-1) === '') rows.pop()
    return rows
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.writes++
    this.written += chunk.toString()
    this.#show(chunk.toString())
    done()
  }

  /** The escapes that the library may use, and no others. */
  #show(text: string): void {
    for (const [token] of text.matchAll(/\x1b\[\d*[A-Za-z]|\r|\n|[^\x1b]/gu)) {
      if (token === '\r') this.#column = 0
      else if (token === '\n') this.#newLine()
      else if (!token.startsWith('\x1b')) this.#put(token)
      else if (token.endsWith('A')) this.#row = Math.max(0, this.#row - Number(token.slice(2, -1)))
      else if (token === '\x1b[J') this.#clear()
      else if (!token.endsWith('m')) throw new Error(`A terminal may not know ${JSON.stringify(token)}`)
    }
  }

  #newLine(): void {
    this.#row++
    this.#column = 0
    this.#rows[this.#row] ??= ''
  }

  #put(character: string): void {
    if (this.#column >= this.columns) this.#newLine()
    const row = (this.#rows[this.#row] ?? '').padEnd(this.#column)
    this.#rows[this.#row] = row.slice(0, this.#column) + character + row.slice(this.#column + 1)
    this.#column++
  }

  #clear(): void {
    this.#rows[this.#row] = (this.#rows[this.#row] ?? '').slice(0, this.#column)
    this.#rows.length = this.#row + 1
  }
}

/** A clock that a test turns on. */
export class FakeClock {
  #now = 0
  readonly #timers = new Set<{ readonly interval: number; next: number; readonly tick: () => void }>()

  now(): number {
    return this.#now
  }

  every(interval: number, tick: () => void): () => void {
    const timer = { interval, next: this.#now + interval, tick }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** How many timers run. */
  get timers(): number {
    return this.#timers.size
  }

  pass(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      const due = [...this.#timers].filter(({ next }) => next <= end).sort((one, other) => one.next - other.next)[0]
      if (due === undefined) break
      this.#now = due.next
      due.next += due.interval
      due.tick()
    }
    this.#now = end
  }
}
