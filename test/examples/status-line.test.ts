import { compiled } from './run.js'

const { StatusLine } = (await import(compiled('access-log/status-line.js'))) as {
  StatusLine: new (terminal: object, text: () => string) => Disposable
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
