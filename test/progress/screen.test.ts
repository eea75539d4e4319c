import { Writable } from 'node:stream'
import { Screen, writeSafely } from '#dist/progress/screen.js'
import { FakeClock, FakeTerminal } from '../support/terminal.js'

function open(columns?: number): { terminal: FakeTerminal; clock: FakeClock; screen: Screen } {
  const terminal = new FakeTerminal(columns)
  const clock = new FakeClock()
  return { terminal, clock, screen: Screen.of(terminal, clock) }
}

describe('a status line', () => {
  it('is drawn ten times a second, in one row', () => {
    const { terminal, clock, screen } = open()
    let n = 0
    const line = (): string => `state ${++n}`
    screen.add(line)
    expect(terminal.screen).toEqual([])
    clock.pass(1000)
    expect(terminal.screen).toEqual(['state 10'])
    expect(terminal.writes).toBe(10)
    screen.remove(line, 'the end')
    expect(terminal.screen).toEqual(['the end'])
    expect(clock.timers).toBe(0)
    clock.pass(1000)
    expect(terminal.screen).toEqual(['the end'])
  })

  it('is not shown while it has no text, and leaves nothing behind', () => {
    const { terminal, clock, screen } = open()
    const line = (): undefined => undefined
    screen.add(line)
    clock.pass(1000)
    screen.remove(line)
    expect(terminal.written).toBe('')
  })

  it('gets one column less than the terminal has: else some terminals would begin a row', () => {
    const { terminal, clock, screen } = open(30)
    const widths: number[] = []
    screen.add((columns) => {
      widths.push(columns)
      return 'x'.repeat(columns)
    })
    clock.pass(100)
    terminal.columns = 20
    clock.pass(100)
    expect(widths).toEqual([29, 19])
    expect(terminal.screen.at(-1)).toBe('x'.repeat(19))
  })

  it('is cleared in all its rows when the terminal has become narrower', () => {
    const { terminal, clock, screen } = open(60)
    const line = (columns: number): string => 'x'.repeat(columns)
    terminal.write('before\n')
    screen.add(line)
    clock.pass(100)
    // A terminal wraps what it shows when it becomes narrower.
    terminal.written = ''
    terminal.columns = 20
    clock.pass(100)
    expect(terminal.written).toBe(`\r\x1b[2A\x1b[J${'x'.repeat(19)}`)
  })

  it('shares the terminal with others: each has a row, and the last words stand above them', () => {
    const { terminal, clock, screen } = open()
    const [one, two] = [(): string => 'one', (): string => 'two']
    screen.add(one)
    Screen.of(terminal).add(two)
    clock.pass(100)
    expect(terminal.screen).toEqual(['one', 'two'])
    clock.pass(500)
    expect(terminal.screen).toEqual(['one', 'two'])
    screen.remove(one, 'one is done')
    expect(terminal.screen).toEqual(['one is done', 'two'])
    screen.remove(two, 'two is done')
    expect(terminal.screen).toEqual(['one is done', 'two is done'])
  })

  it('shows no more rows than the terminal has', () => {
    const { terminal, clock, screen } = open()
    terminal.rows = 4
    for (let n = 0; n < 10; n++) screen.add(() => `line ${n}`)
    clock.pass(100)
    expect(terminal.screen).toEqual(['line 0', 'line 1', 'line 2'])
  })
})

describe('what others write to the terminal', () => {
  it('stands above the status line', () => {
    const { terminal, clock, screen } = open()
    const line = (): string => 'status'
    screen.add(line)
    clock.pass(100)
    terminal.write('first\n')
    expect(terminal.screen).toEqual(['first'])
    terminal.write('second\n')
    clock.pass(100)
    expect(terminal.screen).toEqual(['first', 'second', 'status'])
    screen.remove(line, 'end')
    expect(terminal.screen).toEqual(['first', 'second', 'end'])
  })

  it('is not overwritten where its line has not ended', () => {
    const { terminal, clock, screen } = open()
    const line = (): string => 'status'
    screen.add(line)
    clock.pass(100)
    terminal.write(Buffer.from('begin'))
    clock.pass(300)
    expect(terminal.screen).toEqual(['begin'])
    terminal.write(' and end\n')
    clock.pass(100)
    expect(terminal.screen).toEqual(['begin and end', 'status'])
    terminal.write('begin')
    screen.remove(line, 'last')
    expect(terminal.screen).toEqual(['begin and end', 'begin', 'last'])
  })

  it('goes through the same method as before and after', () => {
    const { terminal, clock, screen } = open()
    const before = Object.getOwnPropertyDescriptor(terminal, 'write')
    const line = (): string => 'status'
    screen.add(line)
    let called = 0
    expect(terminal.write('text\n', () => called++)).toBe(true)
    clock.pass(100)
    screen.remove(line)
    expect(Object.getOwnPropertyDescriptor(terminal, 'write')).toEqual(before)
    expect(Object.hasOwn(terminal, 'write')).toBe(false)
  })

  it('still arrives where somebody else has replaced the method meanwhile', () => {
    const { terminal, clock, screen } = open()
    const line = (): string => 'status'
    screen.add(line)
    const seen: unknown[] = []
    const ours = terminal.write.bind(terminal) as (chunk: string) => boolean
    const theirs = ((chunk: string) => {
      seen.push(chunk)
      return ours(chunk)
    }) as Writable['write']
    terminal.write = theirs
    clock.pass(100)
    screen.remove(line)
    expect(Object.getOwnPropertyDescriptor(terminal, 'write')?.value).toBe(theirs)
    terminal.write('text\n')
    expect(seen.at(-1)).toBe('text\n')
    expect(terminal.screen.at(-1)).toBe('text')
  })
})

describe('an output that cannot take it', () => {
  it('gets nothing while it is slow', () => {
    const { terminal, clock, screen } = open()
    let needsDrain = true
    Object.defineProperty(terminal, 'writableNeedDrain', { get: () => needsDrain })
    screen.add(() => 'status')
    clock.pass(500)
    expect(terminal.writes).toBe(0)
    needsDrain = false
    clock.pass(100)
    expect(terminal.screen).toEqual(['status'])
  })

  it('is left alone when it fails or has ended', async () => {
    const failing = new Writable({
      write: (_chunk, _encoding, done) => {
        done(new Error('nobody reads'))
      },
    })
    const closed = new Promise((resolve) => failing.once('close', resolve))
    writeSafely(failing, 'text')
    await closed
    writeSafely(failing, 'text')
    const ended = new FakeTerminal()
    ended.end()
    writeSafely(ended, 'text')
    expect(ended.written).toBe('')
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    expect(failing.listenerCount('error') + ended.listenerCount('error')).toBe(0)
  })
})
