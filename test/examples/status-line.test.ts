import { compiled } from './run.js'

const { StatusLine, progress, timing } = (await import(compiled('access-log/status-line.js'))) as {
  StatusLine: new (terminal: object, text: () => string) => Disposable
  progress: (summary: object, seconds: number) => string
  timing: (summary: object, seconds: number, workers: number) => string
}

class Terminal {
  written = ''
  readonly columns = 12
  constructor(readonly isTTY: boolean | undefined) {}
  write(text: string): void {
    this.written += text
  }
}

describe('StatusLine', () => {
  it('shows a line that does not wrap, and clears it', () => {
    const terminal = new Terminal(true)
    const status = new StatusLine(terminal, () => '123456789 123456789')
    expect(terminal.written).toBe('\r\x1b[K123456789 …')
    status[Symbol.dispose]()
    expect(terminal.written).toBe('\r\x1b[K123456789 …\r\x1b[K')
  })

  it('is silent where there is no terminal', () => {
    const terminal = new Terminal(undefined)
    new StatusLine(terminal, () => 'text')[Symbol.dispose]()
    expect(terminal.written).toBe('')
  })
})

describe('progress() and timing()', () => {
  const summary = { lines: 1_500_000, size: 300_000_000 }

  it('tell bytes and rates', () => {
    expect(progress(summary, 3)).toBe('300 MB, 500,000 lines/s, 100.0 MB/s')
    expect(timing(summary, 3, 2)).toBe('1,500,000 lines, 300 MB in 3.00 s: 500,000 lines/s, 100.0 MB/s, 2 workers')
  })

  it('stand no time at all', () => {
    expect(progress({ lines: 0, size: 0 }, 0)).toBe('0 bytes, 0 lines/s, 0.0 MB/s')
  })
})
