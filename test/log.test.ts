/** The log, and the channels that report workers, processes and failures. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { threadId } from 'node:worker_threads'
import { imap, map, Pool, WorkerCrashError, type Diagnostics } from 'millrace'
import { getLogger, logTo, logToStderr, Process, type LogRecord, type LogTarget } from 'millrace/multiprocessing'
import { collect, until } from './fixtures/contract-b-ways.js'
import { byChild, byChildOfOwn, half, leave, loop, print, write } from './fixtures/logging.js'
import { runProgram } from './support/programs.js'

/** The records that the log gave to our logger. */
let written: string[] = []
/** Earlier test files in this process used the same default pool. Its idle workers end at any time. */
function note(level: string, text: string): void {
  if (!text.startsWith('[default-')) written.push(`${level} ${text}`)
}
const target: LogTarget = {
  debug: (text) => {
    note('debug', text)
  },
  info: (text) => {
    note('info', text)
  },
  warn: (text) => {
    note('warn', text)
  },
  error: (text) => {
    note('error', text)
  },
}

beforeEach(() => {
  written = []
})
afterEach(() => {
  logTo(null, 'info', { console: false })
  getLogger().level = 'silent'
})

/** The messages on a channel while `run` runs. */
async function heard<C extends keyof Diagnostics>(channel: C, run: () => Promise<unknown>): Promise<Diagnostics[C][]> {
  const messages: Diagnostics[C][] = []
  const listen = (message: unknown): void => {
    if ((message as { pool?: unknown }).pool !== 'default') messages.push(message as Diagnostics[C])
  }
  subscribe(channel, listen)
  try {
    await run()
  } finally {
    unsubscribe(channel, listen)
  }
  return messages
}

async function run(one: Pick<Process, 'start' | 'join'>): Promise<void> {
  one.start()
  await one.join()
}

describe('the log', () => {
  it('is silent until it is asked for', async () => {
    expect(getLogger().level).toBe('silent')
    const records = await heard('millrace:log', async () => {
      getLogger().error('main')
      await run(new Process({ target: write, args: ['one'] }))
    })
    expect(records).toEqual([])
  })

  it('has the name of the thread that wrote it', async () => {
    logTo(target, 'debug')
    getLogger().info('main')
    await run(new Process({ target: write, name: 'one', args: ['text'] }))
    expect(written.filter((text) => !/ (started|ended .*)$/.test(text))).toEqual([
      'info [MainProcess] main',
      'debug [one] text',
      'info [one] text of 1',
      'warn [one] text { deep: [ 1 ] }',
      'error [one] text',
    ])
    await using pool = new Pool({ workers: 1, name: 'mill' })
    await pool.apply(write, ['text'])
    await until(() => written.includes('error [mill-1] text'))
    expect(written).toContain('debug [mill-1] text')
  })

  it.each([
    ['error', ['error [mill-1] text']],
    ['warn', ['warn [mill-1] text { deep: [ 1 ] }', 'error [mill-1] text']],
    ['silent', []],
  ] as const)('lets through what its level says, in threads that run already (%s)', async (level, expected) => {
    logTo(target, 'error')
    await using pool = new Pool({ workers: 1, name: 'mill' })
    await pool.apply(half, [2])
    getLogger().level = level
    await pool.apply(write, ['text'])
    logTo(target, 'error')
    await pool.apply(write, ['last'])
    await until(() => written.includes('error [mill-1] last'))
    expect(written).toEqual([...expected, 'error [mill-1] last'])
  })

  it('publishes its records, with name, thread id and time', async () => {
    const before = Date.now()
    getLogger().level = 'error'
    let one: Process<[string]> | undefined
    const records = await heard('millrace:log', async () => {
      one = new Process({ target: write, name: 'one', args: ['text'] })
      await run(one)
      getLogger().error('main')
    })
    const expected: Omit<LogRecord, 'time'>[] = [
      { level: 'error', message: 'text', name: 'one', pid: Number(one?.pid) },
      { level: 'error', message: 'main', name: 'MainProcess', pid: threadId },
    ]
    expect(records.map(({ time: _time, ...rest }) => rest)).toEqual(expected)
    for (const { time } of records) {
      expect(time).toBeGreaterThanOrEqual(before)
      expect(time).toBeLessThanOrEqual(Date.now())
    }
  })

  it('hears of children of children', async () => {
    logTo(target, 'error')
    await run(new Process({ target: byChild, name: 'outer', args: ['deep'] }))
    expect(written).toEqual(['error [outer:1] deep'])
  })

  it('stops at the first thread that has a logger', async () => {
    logTo(target, 'error')
    const texts = new SharedArrayBuffer(1_000)
    await run(new Process({ target: byChildOfOwn, name: 'outer', args: [texts] }))
    expect(new TextDecoder().decode(new Uint8Array(texts).slice()).replaceAll('\0', '')).toBe('[outer:1] inner\n')
    expect(written).toEqual([])
  })

  it('keeps what a thread wrote just before it ended itself', async () => {
    logTo(target, 'info', { console: true })
    await run(new Process({ target: leave, name: 'one', args: [3] }))
    expect(written).toEqual([
      'info [one] started',
      'info [one] leaving',
      'error [one] left',
      'info [one] ended with exit code 3',
    ])
  })

  it('has the lines of console in workers, when asked to', async () => {
    logTo(target, 'error', { console: true })
    await run(new Process({ target: print, name: 'one', args: ['text'] }))
    expect(written).toEqual([
      'info [one] text of 1',
      'debug [one] text',
      'info [one] text',
      'warn [one] text',
      'error [one] text',
      'error [one] Assertion failed: text',
      expect.stringMatching(/^info \[one\] ┌[^]*'text'[^]*┘$/),
      'info [one] group',
      'info [one]   two\n  lines',
    ])
  })

  it('refuses a level, an option, a target that it does not know', () => {
    const [one, two] = [{ ...target, warn: undefined }, 'loud']
    expect(() => logToStderr(two as never)).toThrow(
      "Cannot log to stderr as its level must be one of 'error', 'warn', 'info', 'debug': received 'loud'",
    )
    expect(() => logTo(target, 'silent' as never)).toThrow("received 'silent'")
    expect(() => (getLogger().level = two as never)).toThrow(
      "Cannot set the level of the log as its level must be one of 'silent', 'error', 'warn', 'info', 'debug': received 'loud'",
    )
    expect(() => logTo(one as never)).toThrow(
      /^Cannot log to this target as it must have the methods error, warn, info, debug: received \{/,
    )
    expect(() => logTo(undefined as never)).toThrow('received undefined')
    expect(() => logTo(target, 'info', { console: 1 } as never)).toThrow(
      "Cannot log to this target as 'console' must be true or false: received 1",
    )
    expect(() => logToStderr('info', { colour: true } as never)).toThrow(
      "Cannot log to stderr as it has no option 'colour': the options are console",
    )
    expect(getLogger().level).toBe('silent')
    expect(written).toEqual([])
  })
})

describe('the log on stderr', () => {
  it('has level and name before each record', async () => {
    expect(await runProgram('logging.js', ['levels'])).toEqual({
      code: 0,
      signal: null,
      stdout: '',
      stderr:
        '[INFO/MainProcess] main\n[INFO/Process-1] started\n[INFO/Process-1] one of 1\n' +
        '[WARN/Process-1] one { deep: [ 1 ] }\n[ERROR/Process-1] one\n[INFO/Process-1] ended with exit code 0\n',
    })
  })

  it.each([
    ['nested', '', '[ERROR/Process-1:1] deep\n'],
    [
      'leave',
      '',
      '[INFO/Process-1] started\n[INFO/Process-1] leaving\n[ERROR/Process-1] left\n[INFO/Process-1] ended with exit code 3\n',
    ],
  ])('is written by the main thread, for records of every thread (%s)', async (how, stdout, stderr) => {
    expect(await runProgram('logging.js', [how])).toEqual({ code: 0, signal: null, stdout, stderr })
  })

  it('has an uncaught error of a process once, with its name', async () => {
    const { stdout, stderr } = await runProgram('logging.js', ['uncaught'])
    expect([stdout, stderr]).toEqual([
      '',
      expect.stringMatching(/^\[ERROR\/Process-1\] uncaught RangeError: 1 is odd\n +at half /),
    ])
    expect(stderr.split('1 is odd').length).toBe(2)
  })

  it('has it all the same where a logger of our own is told, too', async () => {
    const { stdout, stderr } = await runProgram('logging.js', ['uncaught, logged elsewhere'])
    expect(stdout).toBe('[Process-1] uncaught RangeError: 1 is odd\n')
    expect(stderr).toMatch(/^Process Process-1:\nRangeError: 1 is odd\n/)
  })

  it('has it if a process between has a logger', async () => {
    const { stderr } = await runProgram('logging.js', ['uncaught below a logger'])
    expect(stderr).toMatch(/^\[ERROR\/Process-1:1\] uncaught RangeError: 1 is odd\n +at half /)
  })

  it('does not touch console unless asked to', async () => {
    const { stdout, stderr } = await runProgram('logging.js', ['unnamed'])
    expect(stdout).toMatch(/^plain of 1\nplain\nplain\n┌[^]*┘\ngroup\n {2}two\n {2}lines\n$/)
    expect(stderr).toBe('plain\nplain\nAssertion failed: plain\n')
  })

  it('gives console back when there is no logger any more', async () => {
    const { stdout } = await runProgram('logging.js', ['no more'])
    expect(stdout).toBe('[pool-1] one\ntwo\n')
  })

  it('does not log its own lines again if a logger or a listener in a worker writes to the console', async () => {
    expect(await runProgram('logging.js', ['ring'])).toMatchObject({
      code: 0,
      stdout:
        '[Process-1] started\n[Process-1] heard one\n[Process-1] given [Process-1] one\n[Process-1] heard two\n[Process-1] two\n' +
        '[Process-1] three\n[Process-1] ended with exit code 0\n',
    })
  })

  it('the error of a logger that throws is uncaught, and does not stop other targets', async () => {
    expect(await runProgram('logging.js', ['throwing'])).toEqual({
      code: 0,
      signal: null,
      stdout: 'uncaught Error: no logger\nfulfilled rejected fulfilled\n',
      stderr: '',
    })
  })
})

describe('what is heard of', () => {
  it('the start of workers, and their end when the pool is closed', async () => {
    logTo(target)
    const exits: Diagnostics['millrace:worker:exit'][] = []
    const starts = await heard('millrace:worker:start', async () => {
      exits.push(
        ...(await heard('millrace:worker:exit', async () => {
          const pool = new Pool({ workers: 2, name: 'mill' })
          await pool.map(half, [2, 4])
          await until(() => pool.stats().ready === 2)
          await pool.close()
        })),
      )
    })
    expect(starts.map(({ name, pool, worker }) => [name, pool, worker]).sort()).toEqual([
      ['mill-1', 'mill', 1],
      ['mill-2', 'mill', 2],
    ])
    expect(new Set(starts.map(({ pid }) => pid)).size).toBe(2)
    expect(exits.map(({ pid }) => pid).sort()).toEqual(starts.map(({ pid }) => pid).sort())
    expect(exits).toEqual([1, 2].map(() => expect.objectContaining({ wasAsked: true, error: undefined }) as unknown))
    expect(written.sort()).toEqual([
      'info [mill-1] ended',
      'info [mill-1] started',
      'info [mill-2] ended',
      'info [mill-2] started',
    ])
  })

  it('a worker that dies, with what nobody caught, and the item that has failed by it', async () => {
    logTo(target, 'warn', { console: true })
    let failures: Diagnostics['millrace:task:failure'][] = []
    await using pool = new Pool({ workers: 1, name: 'mill' })
    const exits = await heard('millrace:worker:exit', async () => {
      failures = await heard('millrace:task:failure', async () => {
        await pool.map(leave, [7], { errors: 'settle' })
      })
    })
    const [{ pid } = { pid: 0 }] = exits
    expect(exits).toEqual([
      { name: 'mill-1', pid, pool: 'mill', worker: 1, exitCode: 7, wasAsked: false, error: undefined },
    ])
    expect(failures).toEqual([
      { task: 'leave', index: 0, pool: 'mill', worker: 1, attempts: 1, error: expect.any(WorkerCrashError) as unknown },
    ])
    expect(written).toEqual([
      'error [mill-1] left',
      'error [mill-1] died with exit code 7',
      expect.stringMatching(
        /^warn \[mill-1\] task 'leave' failed on item 0: WorkerCrashError: Worker 1 of pool 'mill' /,
      ),
    ])
  })

  it('a worker that cannot start', async () => {
    logTo(target, 'error')
    await using pool = new Pool({ workers: 1, name: 'mill', initializer: half, initargs: [1] })
    await expect(pool.map(half, [2])).rejects.toThrow('1 is odd')
    expect(written).toEqual(
      [1, 2, 3].map(
        () =>
          expect.stringMatching(
            /^error \[mill-1\] did not start: it ended with exit code 1: RangeError: 1 is odd\n/,
          ) as unknown,
      ),
    )
  })

  it('a worker that Node refuses to start', async () => {
    logTo(target, 'error')
    await using pool = new Pool({ workers: 1, name: 'mill', execArgv: ['--no-such-option'] })
    const exits = await heard('millrace:worker:exit', async () => {
      await expect(pool.map(half, [2])).rejects.toThrow('--no-such-option')
    })
    expect(exits).toMatchObject([1, 2, 3].map(() => ({ name: 'mill-1', pid: -1, exitCode: 1, wasAsked: false })))
    expect(written.length).toBe(3)
    expect(written[0]).toMatch(/^error \[mill-1\] did not start: it ended with exit code 1: .*--no-such-option/)
  })

  it.each(['throw', 'settle', 'skip'] as const)('items that fail, whatever becomes of them (%s)', async (errors) => {
    logTo(target, 'warn')
    await using pool = new Pool({ workers: 1, name: 'mill' })
    const failures = await heard('millrace:task:failure', async () => {
      const stream = pool.imap(half, [2, 4, 3], { errors, retries: { attempts: 3, minDelay: 1 } })
      await collect(stream).catch(() => undefined)
    })
    const error: unknown = expect.any(RangeError)
    expect(failures).toEqual([{ task: 'half', index: 2, pool: 'mill', worker: 1, attempts: 3, error }])
    expect(written).toEqual([`warn [mill-1] task 'half' failed on item 2 after 3 attempts: RangeError: 3 is odd`])
  })

  it('items that fail on this thread', async () => {
    logTo(target, 'warn')
    const failures = await heard('millrace:task:failure', async () => {
      for await (const _ of imap(half, [2, 3], { workers: 0, errors: 'skip' }));
    })
    expect(failures).toMatchObject([{ task: 'half', index: 1, pool: '', worker: 0, attempts: 1 }])
    expect(written).toEqual([`warn [MainProcess] task 'half' failed on item 1: RangeError: 3 is odd`])
  })

  it('items that fail with what has no text', async () => {
    logTo(target, 'warn')
    const fail = (error: unknown): never => {
      throw error
    }
    const errors = [{ toString: 1 }, Object.create(null), Symbol('none'), 'text']
    await map(fail, errors, { workers: 0, errors: 'settle' })
    expect(written).toEqual(
      ['{ toString: 1 }', '[Object: null prototype] {}', 'Symbol(none)', "'text'"].map(
        (text, i) => `warn [MainProcess] task 'fail' failed on item ${i}: ${text}`,
      ),
    )
  })

  it('a worker that is ended as an item takes too long', async () => {
    logTo(target, 'warn')
    await using pool = new Pool({ workers: 1, name: 'mill' })
    const timeouts = await heard('millrace:worker:timeout', async () => {
      await pool.map(loop, [0], { errors: 'settle', timeout: 300 })
    })
    expect(timeouts).toMatchObject([{ name: 'mill-1', pool: 'mill', worker: 1, timeout: 300 }])
    expect(written).toEqual([
      'warn [mill-1] is ended as an item takes longer than 300 ms',
      expect.stringMatching(/^warn \[mill-1\] task 'loop' failed on item 0: TaskTimeoutError: /),
    ])
  })

  it('a worker that is replaced', async () => {
    logTo(target)
    await using pool = new Pool({ workers: 1, name: 'mill', maxTasksPerWorker: 2 })
    const recycled = await heard('millrace:worker:recycle', async () => {
      await pool.map(half, [2, 4, 6], { chunksize: 1 })
    })
    expect(recycled).toMatchObject([{ name: 'mill-1', worker: 1, items: 2, heapUsed: 0 }])
    expect(written).toContain('info [mill-1] is replaced after 2 items')
  })

  it('a worker that is replaced once, where a listener ends the stream', async () => {
    await using pool = new Pool({ workers: 1, maxTasksPerWorker: 1 })
    const stream = pool.imap(half, [2, 4, 6], { chunksize: 1 })
    const end = (): void => void stream.return()
    subscribe('millrace:worker:recycle', end)
    const recycled = await heard('millrace:worker:recycle', () => collect(stream))
    unsubscribe('millrace:worker:recycle', end)
    expect(recycled.length).toBe(1)
    expect(pool.stats().recycled).toBe(1)
  })

  it('the start and the end of a process', async () => {
    let exits: Diagnostics['millrace:process:exit'][] = []
    const one = new Process({ target: half, name: 'one', args: [1] })
    logTo(target)
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = () => true
    const starts = await heard('millrace:process:start', async () => {
      exits = await heard('millrace:process:exit', () => run(one))
    }).finally(() => {
      process.stderr.write = write
    })
    expect(starts).toEqual([{ name: 'one', pid: one.pid }])
    expect(exits).toEqual([{ name: 'one', pid: one.pid, exitCode: 1, error: one.error }])
    expect(written).toEqual([
      'info [one] started',
      expect.stringMatching(/^error \[one\] uncaught RangeError: 1 is odd\n/),
      'info [one] ended with exit code 1',
    ])
  })
})
