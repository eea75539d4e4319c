import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import * as millrace from 'millrace'
import { lines } from '#dist/io/lines.js'
import { pipe } from '#dist/pipe.js'
import { showStream } from '#dist/progress/progress.js'
import { originOf, type Origin } from '#dist/stream/origin.js'
import { batch } from '#dist/verbs/batch.js'
import { imap } from '#dist/verbs/imap.js'
import { reduce } from '#dist/verbs/reduce.js'
import { FakeClock, FakeTerminal } from '../support/terminal.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-progress-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const log = join(folder, 'données 数据.log')
writeFileSync(log, 'a line of ten\n'.repeat(1000))

/** Not a terminal. */
class Output extends Writable {
  written = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString()
    done()
  }
}

/** A function for this thread: the tests need no workers. */
const same = (line: unknown): unknown => line

function origin(stream: object): Origin {
  const found = originOf(stream)
  if (found === undefined) throw new Error('It has no origin')
  return found
}

function showWith(stream: object, output: Writable, offTerminal?: 'plain' | 'json'): FakeClock {
  const clock = new FakeClock()
  showStream(origin(stream), { output, offTerminal }, clock)
  return clock
}

describe('progress() on a terminal', () => {
  it('shows a line while the stream is read, and at its end the last state', async () => {
    const terminal = new FakeTerminal(120)
    const stream = pipe(lines(log), imap(same, { workers: 0 }))
    const clock = showWith(stream, terminal)
    clock.pass(1000)
    expect(terminal.written).toBe('')
    for (let n = 0; n < 500; n++) await stream.next()
    clock.pass(100)
    expect(terminal.screen).toEqual([
      expect.stringMatching(
        /^données 数据\.log {2}99 % {2}▕█{9}▉▏ {2}14\.0 of 14\.0 kB .*\b500 items {2}1 worker \d+ %/,
      ),
    ])
    for await (const _ of stream);
    expect(terminal.screen).toEqual([
      expect.stringMatching(
        /^done in 0\.\d\d s: 1,000 items, 14\.0 kB, .* [kM]B\/s, 1 worker busy \d+ %, limited by the (source|workers|consumer)$/,
      ),
    ])
    expect(clock.timers).toBe(0)
    expect(terminal.written.endsWith('\n')).toBe(true)
  })

  it('counts failed items, and says that the stream failed', async () => {
    const terminal = new FakeTerminal(120)
    const stream = imap((n: number) => 1 / (n % 2) === Infinity || n, [1, 3], { workers: 0 })
    const failing = imap(
      () => {
        throw new Error('bad')
      },
      [1, 2, 3],
      { workers: 0 },
    )
    showWith(failing, terminal)
    await expect(failing.next()).rejects.toThrow('bad')
    expect(terminal.screen).toEqual([expect.stringMatching(/^failed after 0\.\d\d s: 0 items, \d failed/)])
    const skipping = imap((): never => Promise.reject(new Error('bad')) as never, [1, 2, 3], {
      workers: 0,
      errors: 'skip',
    })
    showWith(skipping, terminal)
    for await (const _ of skipping);
    expect(terminal.screen[1]).toMatch(/^done in 0\.\d\d s: 3 items, 3 failed/)
    await stream.return()
  })

  it('says that the stream was left', async () => {
    const terminal = new FakeTerminal(120)
    const stream = imap(same, [1, 2, 3], { workers: 0 })
    showWith(stream, terminal)
    for await (const _ of stream) break
    expect(terminal.screen).toEqual([expect.stringMatching(/^stopped after 0\.\d\d s: 1 item/)])
  })

  it('ends when it is disposed of, once, and leaves the stream alone', async () => {
    const terminal = new FakeTerminal(120)
    const clock = new FakeClock()
    const stream = imap(same, [1, 2, 3], { workers: 0 })
    const shown = showStream(origin(stream), { output: terminal }, clock)
    await stream.next()
    shown[Symbol.dispose]()
    shown[Symbol.dispose]()
    expect(terminal.screen).toEqual([expect.stringMatching(/^stopped after/)])
    expect(clock.timers).toBe(0)
    for await (const _ of stream);
    expect(terminal.screen).toHaveLength(1)
  })

  it('shows a stream that has ended as it is', async () => {
    const terminal = new FakeTerminal(120)
    const stream = imap(same, [1, 2, 3], { workers: 0 })
    for await (const _ of stream);
    showWith(stream, terminal)
    expect(terminal.screen).toEqual([expect.stringMatching(/^done in 0\.\d\d s: 3 items/)])
  })

  it('shows the share of an array, and a source of bytes without a stage', async () => {
    const terminal = new FakeTerminal(120)
    const stream = imap(same, [1, 2, 3, 4], { workers: 0, window: 1 })
    const clock = showWith(stream, terminal)
    await stream.next()
    await stream.next()
    clock.pass(100)
    expect(terminal.screen).toEqual([expect.stringMatching(/^50 % /)])
    await stream.return()

    const second = new FakeTerminal(120)
    const source = lines(log)
    const time = showWith(source, second)
    await source.next()
    time.pass(100)
    expect(second.screen).toEqual([expect.stringMatching(/^données 数据\.log {2}100 % {2}▕█+▏ {2}14\.0 of 14\.0 kB/)])
    for await (const _ of source);
    expect(second.screen).toEqual([expect.stringMatching(/^done in .*: 14\.0 kB/)])
  })

  it('shows the source of a fold, which gives no stream', async () => {
    const terminal = new FakeTerminal(120)
    const source = lines(log)
    showWith(source, terminal)
    const count = reduce((total: number) => total + 1, { initial: 0, merge: (a, b) => a + b, workers: 0 })
    expect(await count(source)).toBe(1000)
    expect(terminal.screen).toEqual([expect.stringMatching(/^done in \d.*: 14\.0 kB/)])
  })

  it('knows parts and batches of a stream', async () => {
    for (const open of [
      () => imap(same, lines(log), { workers: 0 }).take(10),
      () => imap(same, lines(log), { workers: 0 }).drop(10),
      () => pipe(lines(log), imap(same, { workers: 0 }), batch(10)),
      () => pipe(lines(log), batch(10), imap(same, { workers: 0 })),
      () => pipe(lines(log), batch(10)),
    ]) {
      const terminal = new FakeTerminal(120)
      const stream = open()
      showWith(stream, terminal)
      for await (const _ of stream);
      expect(terminal.screen).toEqual([expect.stringMatching(/(done|stopped).*14\.0/)])
    }
  })
})

describe('progress() where there is no terminal', () => {
  it('writes nothing by default, and needs no timer', async () => {
    const output = new Output()
    const stream = imap(same, [1, 2, 3], { workers: 0 })
    const clock = showWith(stream, output)
    expect(clock.timers).toBe(0)
    for await (const _ of stream);
    expect(output.written).toBe('')
  })

  it("writes a line every ten seconds with 'plain', and one at the end", async () => {
    const output = new Output()
    const stream = pipe(lines(log), imap(same, { workers: 0 }))
    const clock = showWith(stream, output, 'plain')
    clock.pass(30_000)
    expect(output.written).toBe('')
    await stream.next()
    clock.pass(25_000)
    for await (const _ of stream);
    const written = output.written.split('\n')
    expect(written).toHaveLength(4)
    expect(written[0]).toMatch(/^\d+ s: données 数据\.log, 99 %, 14\.0 of 14\.0 kB, .*1 item,/)
    expect(written[2]).toMatch(/^done in .*1,000 items/)
    expect(output.written).not.toContain('\x1b')
  })

  it("writes an object every second with 'json', and one at the end", async () => {
    const output = new Output()
    const stream = pipe(lines(log), imap(same, { workers: 0 }))
    const clock = showWith(stream, output, 'json')
    await stream.next()
    clock.pass(2_500)
    for await (const _ of stream);
    const [first, second, last, ...rest] = output.written.split('\n')
    expect(rest).toEqual([''])
    expect(JSON.parse(first ?? '')).toMatchObject({
      state: 'running',
      file: log,
      fileNumber: 1,
      fileCount: 1,
      bytesRead: 14_000,
      bytesTotal: 14_000,
      items: 1,
      failed: 0,
      workers: 1,
      busy: expect.any(Number) as number,
      limit: expect.stringMatching(/source|workers|consumer/) as string,
    })
    expect(JSON.parse(second ?? '')).toMatchObject({ state: 'running' })
    expect(JSON.parse(last ?? '')).toMatchObject({ state: 'done', items: 1000 })
  })

  it('treats a dumb terminal as none', async () => {
    const before = process.env.TERM
    process.env.TERM = 'dumb'
    try {
      const terminal = new FakeTerminal(120)
      const stream = imap(same, [1], { workers: 0 })
      showWith(stream, terminal)
      for await (const _ of stream);
      expect(terminal.written).toBe('')
    } finally {
      if (before === undefined) delete process.env.TERM
      else process.env.TERM = before
    }
  })
})

describe('the arguments of progress()', () => {
  it.each([undefined, null, 3, 'file.log', [1, 2], {}, (): void => {}])('refuse %p as a stream', (stream) => {
    expect(() => millrace.progress(stream as object)).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        code: 'ERR_INVALID_SOURCE',
        message: expect.stringMatching(/^Cannot show progress as it needs a stream, .*: received /) as string,
      }) as Error,
    )
  })

  it.each<[millrace.ProgressOptions, string]>([
    [
      { offTerminal: 'text' as 'json' },
      "Cannot show progress as 'offTerminal' must be 'plain' or 'json': received 'text'",
    ],
    [{ output: {} as never }, "Cannot show progress as 'output' must be a Writable of Node: received"],
    [
      { report: 'report.pdf' },
      "Cannot show progress as 'report' must be a path that ends with '.html', '.svg' or '.json': received 'report.pdf'",
    ],
    [{ report: 3 as never }, "Cannot show progress as 'report' must be a path"],
    [{ mode: 'json' } as never, "Cannot show progress as it has no option 'mode': the options are"],
  ])('refuse the options %p', (options, message) => {
    const stream = millrace.imap(same, [1], { workers: 0 })
    expect(() => millrace.progress(stream, options)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining(message) as string,
      }) as Error,
    )
  })
})
