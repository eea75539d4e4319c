/** `Process` with `isolation: 'process'`: how it ends, what it gets, and that it ends with the program. */
import { spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SHARE_ENV } from 'node:worker_threads'
import { NotSerializableError, TaskLoadError, type Diagnostics } from 'millrace'
import {
  activeChildren,
  Barrier,
  Condition,
  Event,
  getLogger,
  JoinableQueue,
  Lock,
  logTo,
  Pipe,
  Process,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  Value,
  type ProcessOptions,
} from 'millrace/multiprocessing'
import { numbers, until } from '../fixtures/contract-b-ways.js'
import { logs } from '../fixtures/process-log.js'
import {
  fail,
  failLarge,
  finish,
  idle,
  junk,
  loop,
  onSignal,
  setExitCode,
  showAll,
  startAnother,
  tellFacts,
  type Facts,
} from '../fixtures/process-targets.js'
import { obey, type End } from '../fixtures/process-tasks.js'
import { expectNothingLeft, resources } from '../support/faults.js'
import { gone } from '../support/process-state.js'
import { runProgram, type Ending } from '../support/programs.js'
import { isFullOnProcesses } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

let files = 0
function newPath(): string {
  return join(folder, `report-${++files}`)
}

function start<A extends readonly unknown[]>(options: ProcessOptions<A>): Process<A> {
  const one = new Process({ isolation: 'process', ...options })
  one.start()
  return one
}

async function ended<A extends readonly unknown[]>(options: ProcessOptions<A>): Promise<Process<A>> {
  const one = start(options)
  await one.join()
  return one
}

function begun(path: string): Promise<void> {
  return until(() => existsSync(path))
}

/** The output on stderr of this process while `run` runs. */
async function writtenDuring(run: () => Promise<unknown>): Promise<string> {
  let written = ''
  process.stderr.write = (text: string | Uint8Array): boolean => {
    written += String(text)
    return true
  }
  try {
    await run()
  } finally {
    // The inherited properties come after that.
    Reflect.deleteProperty(process.stderr, 'write')
  }
  return written
}

describe('a process of the system', () => {
  it('has the same states and names as a thread, and its real process id', async () => {
    const path = newPath()
    const one = new Process({
      target: tellFacts,
      args: [path, folder],
      name: 'mill',
      isolation: 'process',
      env: { MILLRACE_TEST: 'own', MISSING: undefined },
      resourceLimits: { maxOldGenerationSizeMb: 100 },
    })
    expect([one.isAlive, one.exitCode, one.pid]).toEqual([false, null, null])
    one.start()
    expect([one.isAlive, one.exitCode]).toEqual([true, null])
    expect(activeChildren()).toContain(one)
    await one.join()
    expect([one.isAlive, one.exitCode, one.error]).toEqual([false, 0, undefined])
    expect(await one.sentinel).toBe(0)
    expect(activeChildren()).not.toContain(one)
    const facts = JSON.parse(readFileSync(path, 'utf8')) as Facts
    expect(facts).toEqual({
      pid: one.pid,
      parentPid: process.pid,
      own: { name: 'mill', pid: one.pid, daemon: false },
      parent: { name: 'MainProcess', pid: process.pid, daemon: false },
      isMainThread: false,
      variable: 'own',
      execArgv: [...process.execArgv, '--max-old-space-size=100'],
      directory: realpathSync(folder),
    })
    expect(one.pid).not.toBe(process.pid)
  })

  it('gets copies of its arguments, and moved buffers', async () => {
    const path = newPath()
    const bytes = new Uint8Array(3).fill(7)
    const own = Object.assign(Object.create(null) as object, { a: 1 })
    const values = [Buffer.from('b'), new Map([[{ a: -0 }, new Set([1n])]]), own, [1, , NaN]]
    await ended({ target: showAll, args: [path, ...values, bytes], transfer: [bytes.buffer] })
    expect(bytes.byteLength).toBe(0)
    expect(readFileSync(path, 'utf8').replace(/\s+/g, ' ')).toBe(
      '[ <Buffer 62>, Map(1) { { a: -0 } => Set(1) { 1n } }, [Object: null prototype] { a: 1 }, ' +
        '[ 1, <1 empty item>, NaN ], Uint8Array(3) [ 7, 7, 7 ] ]',
    )
  })

  it('ends with the code of process.exit(), or of process.exitCode', async () => {
    const ends = [ended({ target: finish, args: [255] }), ended({ target: setExitCode, args: [4] })]
    expect((await Promise.all(ends)).map(({ exitCode }) => exitCode)).toEqual([255, 4])
  })

  it('that throws ends with 1, keeps the error as it was, and prints it with its name', async () => {
    const written = await writtenDuring(async () => {
      const one = await ended({ target: fail, name: 'mill' })
      expect(one.exitCode).toBe(1)
      expect(one.error).toBeInstanceOf(RangeError)
      expect(one.error).toMatchObject({
        message: 'no way',
        code: 'E_OWN',
        cause: 'tests',
        stack: expect.stringContaining('process-targets') as string,
      })
    })
    expect(written).toMatch(/^Process mill:\nRangeError: no way\n {4}at /)
  })

  it('keeps an uncaught error, one that no pipe holds, and that of a module that does not load', async () => {
    await writtenDuring(async () => {
      const ends = await Promise.all([
        ended({ target: obey, args: [[0, 'uncaught']] }),
        ended({ target: failLarge, args: [3_000_000] }),
        ended({ target: { module: new URL('file:///there/is/none.js'), export: 'none' } }),
      ])
      expect(ends.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1])
      expect(ends[0]?.error).toEqual(new RangeError('nobody catches this'))
      expect((ends[1]?.error as Error).message).toHaveLength(3_000_000)
      expect(ends[2]?.error).toBeInstanceOf(TaskLoadError)
    })
  })

  const deaths: readonly (readonly [End, number])[] = [
    ['abort', -6],
    ['SIGSEGV', -11],
    ['SIGKILL', -9],
    ['heap', -6],
  ]
  it('whose native code crashes, or which is killed, ends with minus the number of the signal', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 32 }
    const ends = await Promise.all(deaths.map(([how]) => ended({ target: obey, args: [[0, how]], resourceLimits })))
    expect(ends.map(({ exitCode }) => exitCode)).toEqual(deaths.map(([, code]) => code))
    expect(ends.map(({ error }) => error)).toEqual(deaths.map(() => undefined))
  })

  it('is killed from outside, or by a signal of a terminal, as any Node program', async () => {
    const paths = numbers(2).map(newPath)
    const [spinning, waiting] = [
      start({ target: loop, args: [paths[0] ?? ''] }),
      start({ target: idle, args: [paths[1] ?? ''] }),
    ]
    await Promise.all(paths.map(begun))
    process.kill(spinning.pid ?? 0, 'SIGKILL')
    process.kill(waiting.pid ?? 0, 'SIGINT')
    expect(await Promise.all([spinning.sentinel, waiting.sentinel])).toEqual([-9, -2])
  })

  it('that writes on the pipe of its messages ends, as by a crash', async () => {
    const written = await writtenDuring(async () => {
      expect(await ended({ target: junk })).toMatchObject({
        exitCode: -9,
        error: { message: 'The pipe of a worker process holds something else than its messages' },
      })
    })
    expect(written).toContain('holds something else')
  })

  it('runs streams, and starts processes that are named after it and end with it', async () => {
    const child = newPath()
    const one = start({ target: startAnother, args: [child], name: 'mill' })
    await begun(child)
    expect(readFileSync(`${child}.name`, 'utf8')).toBe('mill:1 [2,4]')
    process.kill(one.pid ?? 0, 'SIGKILL')
    await one.join()
    await gone([Number(readFileSync(child, 'utf8'))])
  })

  const many = isFullOnProcesses ? 100 : 2
  it(`leaves nothing: ${many} that are killed`, async () => {
    const before = resources()
    for (let round = 0; round < many; round += 2) {
      const ends = await Promise.all(numbers(2).map(() => ended({ target: obey, args: [[0, 'SIGKILL']] })))
      expect(ends.map(({ exitCode }) => exitCode)).toEqual([-9, -9])
    }
    await expectNothingLeft(before)
  })
})

describe('terminate()', () => {
  it('sends SIGTERM: -15, also in an endless loop, and where a scope ends', async () => {
    const paths = numbers(2).map(newPath)
    const spinning = start({ target: loop, args: [paths[0] ?? ''] })
    let scoped: Process<[string]>
    {
      await using one = start({ target: idle, args: [paths[1] ?? ''] })
      await Promise.all(paths.map(begun))
      scoped = one
    }
    await Promise.all([spinning.terminate(), spinning.terminate()])
    expect([spinning.exitCode, spinning.error, scoped.exitCode]).toEqual([-15, undefined, -15])
    await spinning.terminate()
    await gone([spinning.pid ?? 0, scoped.pid ?? 0])
  })

  it('lets a handler of SIGTERM choose the code, and sends SIGKILL 1 s later', async () => {
    const paths = numbers(2).map(newPath)
    const polite = start({ target: onSignal, args: [paths[0] ?? '', 7] })
    const deaf = start({ target: onSignal, args: [paths[1] ?? '', 'ignore'] })
    await Promise.all(paths.map(begun))
    await Promise.all([polite.terminate(), deaf.terminate()])
    expect([polite.exitCode, deaf.exitCode]).toEqual([7, -9])
  })

  it('ends one that has only been started', async () => {
    const one = start({ target: idle, args: [newPath()] })
    await one.terminate()
    expect(one.exitCode).toBe(-15)
  })
})

describe('what only threads can share', () => {
  it.each([
    ['Lock', () => new Lock()],
    ['RLock', () => new RLock()],
    ['Semaphore', () => new Semaphore(1)],
    ['Condition', () => new Condition()],
    ['Event', () => new Event()],
    ['Barrier', () => new Barrier(2)],
    ['Queue', () => new Queue()],
    ['JoinableQueue', () => new JoinableQueue()],
    ['Connection', () => Pipe()[0]],
    ['Value', () => new Value('int32', 0)],
    ['SharedArray', () => new SharedArray('int32', 4)],
    ['SharedArrayBuffer', () => new SharedArrayBuffer(8)],
    ['Int32Array', () => new Int32Array(new SharedArrayBuffer(8))],
    ['Blob', () => new Blob(['x'])],
  ] as const)('is refused by start(): a %s', (name, make) => {
    const one = new Process({ target: showAll, args: ['', { deep: [make()] }], name: 'mill', isolation: 'process' })
    let thrown: unknown
    try {
      one.start()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(NotSerializableError)
    expect((thrown as Error).message).toMatch(
      new RegExp(
        `^Cannot start process 'mill' as args\\[1\\]\\.deep\\[0\\] is an? ${name}, which processes cannot share: use isolation 'thread'$`,
      ),
    )
    expect([one.isAlive, one.exitCode, one.pid]).toEqual([false, null, null])
    expect(activeChildren()).not.toContain(one)
  })

  it('and what not even threads can get is refused as for a thread', () => {
    const one = new Process({ target: showAll, args: ['', { log: () => 1 }], name: 'mill', isolation: 'process' })
    expect(() => {
      one.start()
    }).toThrow("Cannot start process 'mill' as args[1].log is a function: pass plain data")
  })

  it('has no options either', () => {
    const make = (options: object): (() => unknown) => {
      return () => new Process({ target: finish, args: [0], isolation: 'process', ...options })
    }
    expect(make({ env: SHARE_ENV })).toThrow("'env' must be an object of strings with isolation 'process'")
    expect(make({ resourceLimits: { stackSizeMb: 4 } })).toThrow(
      "Cannot make a process as 'resourceLimits.stackSizeMb' must be left out with isolation 'process'",
    )
    expect(make({ isolation: 'container' })).toThrow(
      "Cannot make a process as 'isolation' must be 'thread' or 'process': received 'container'",
    )
  })
})

it('the log and the channels have its records and events, with its name and process id', async () => {
  const texts: string[] = []
  const put = (text: string): void => void texts.push(text)
  const events: unknown[] = []
  const note = (event: unknown): void => void events.push(event)
  subscribe('millrace:process:start', note)
  subscribe('millrace:process:exit', note)
  const path = newPath()
  const waiting = start({ target: idle, args: [path], name: 'quiet' })
  try {
    logTo({ debug: put, info: put, warn: put, error: put }, 'info')
    const { pid } = await ended({ target: logs, args: ['in time'], name: 'mill' })
    await waiting.terminate()
    expect(texts).toEqual([
      '[mill] started',
      '[mill] in time',
      '[mill] ended with exit code 0',
      '[quiet] ended with exit code -15',
    ])
    expect(events as Diagnostics['millrace:process:exit'][]).toEqual([
      { name: 'quiet', pid: waiting.pid },
      { name: 'mill', pid },
      { name: 'mill', pid, exitCode: 0, error: undefined },
      { name: 'quiet', pid: waiting.pid, exitCode: -15, error: undefined },
    ])
  } finally {
    logTo(null)
    getLogger().level = 'silent'
    unsubscribe('millrace:process:start', note)
    unsubscribe('millrace:process:exit', note)
  }
})

describe('a program', () => {
  async function run(what: string, options: { kill?: NodeJS.Signals } = {}): Promise<Ending & { pids: number[] }> {
    const ending = await runProgram('process-children.js', [what], options)
    expect(ending.stderr).toBe('')
    return { ...ending, pids: JSON.parse(ending.stdout.split('\n')[0] ?? '') as number[] }
  }

  it('waits for its processes, whose output is its own', async () => {
    expect(await runProgram('process-children.js', ['waits'])).toMatchObject({
      code: 0,
      stdout: 'end\ndone\n',
      stderr: '',
    })
  })

  it('does not wait for daemons: they end with it, and print until then', async () => {
    const { code, stdout, pids } = await run('daemons')
    expect(code).toBe(0)
    expect(stdout).toMatch(/\nready\nleft\n$/)
    await gone(pids)
  })

  it('that calls process.exit() ends them', async () => {
    const { code, pids } = await run('exits')
    expect(code).toBe(5)
    await gone(pids)
  })

  it.each(['idle', 'loop'])('that is killed ends them: %s', async (what) => {
    const { signal, pids } = await run(what, { kill: 'SIGKILL' })
    expect(signal).toBe('SIGKILL')
    await gone(pids)
  })

  it('gets SIGINT with all processes of its group: nothing is left', async () => {
    const path = fileURLToPath(new URL('../fixtures/programs/process-children.js', import.meta.url))
    const program = spawn(process.execPath, [path, 'loop'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    let stdout = ''
    program.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (/^ready$/m.test(stdout) && program.pid !== undefined) process.kill(-program.pid, 'SIGINT')
    })
    expect(await once(program, 'close')).toEqual([null, 'SIGINT'])
    await gone(JSON.parse(stdout.split('\n')[0] ?? '') as number[])
  })

  it('can be CommonJS', async () => {
    expect(await runProgram('process-require.cjs')).toMatchObject({ code: 0, stdout: 'child true\n' })
  })
})
