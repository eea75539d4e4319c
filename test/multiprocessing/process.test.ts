/** `Process`, and the identity of processes. */
import { NotSerializableError, Pool } from 'millrace'
import {
  activeChildren,
  cpuCount,
  currentProcess,
  parentProcess,
  Process,
  type ProcessOptions,
} from 'millrace/multiprocessing'
import { availableParallelism } from 'node:os'
import { inspect } from 'node:util'
import {
  BEGUN,
  DONE,
  exit,
  fail,
  failLater,
  fill,
  GATE,
  linger,
  newCells,
  note,
  readEnv,
  reject,
  setExitCode,
  spin,
  startAndWait,
  startOne,
  tellWho,
  wait,
} from '../fixtures/processes.js'
import { rejection, until } from '../fixtures/contract-b-ways.js'
import { runProgram } from '../support/programs.js'

/** The output on stderr while `run` runs. */
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

/** Runs a process to its end. */
async function ended<A extends readonly unknown[]>(options: ProcessOptions<A>): Promise<Process<A>> {
  const one = new Process(options)
  one.start()
  await one.join()
  return one
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)))
}

function newBytes(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(1_000))
}

function begun(cells: Int32Array): Promise<void> {
  return until(() => Atomics.load(cells, BEGUN) > 0)
}

describe('a process', () => {
  it('calls its target with copies of its arguments, and ends with exit code 0', async () => {
    const cells = newCells()
    const one = new Process({ target: note, args: [cells, { a: 1 }, new Map()] })
    expect([one.isAlive, one.exitCode, one.pid]).toEqual([false, null, null])
    one.start()
    expect([one.isAlive, one.exitCode]).toEqual([true, null])
    expect(one.pid).toBeGreaterThan(0)
    await one.join()
    expect([one.isAlive, one.exitCode, one.error]).toEqual([false, 0, undefined])
    expect([...cells.slice(0, 2)]).toEqual([3, 1])
    expect(await one.sentinel).toBe(0)
  })

  it('has a name, by default with a number', async () => {
    const [first, second] = [
      new Process({ target: note, args: [newCells()] }),
      new Process({ target: exit, args: [0] }),
    ]
    expect(first.name).toMatch(/^Process-\d+$/)
    expect(Number(second.name.slice(8))).toBe(Number(first.name.slice(8)) + 1)
    expect(new Process({ target: exit, args: [0], name: 'mill' }).name).toBe('mill')
    expect(() => {
      ;(first as { name: string }).name = 'other'
    }).toThrow(TypeError)
    const bytes = newBytes()
    const { pid } = await ended({ target: tellWho, args: [bytes], name: 'mill' })
    expect(JSON.parse(textOf(bytes))).toEqual([
      { name: 'mill', pid, daemon: false },
      { name: 'MainProcess', pid: 0, daemon: false },
    ])
  })

  it('ends with the code of process.exit(), or of process.exitCode', async () => {
    for (const code of [0, 3, 255]) expect((await ended({ target: exit, args: [code] })).exitCode).toBe(code)
    expect((await ended({ target: setExitCode, args: [4] })).exitCode).toBe(4)
  })

  it('that throws ends with 1, keeps the error as it was, and prints it with its name', async () => {
    const written = await writtenDuring(async () => {
      const one = await ended({ target: fail, args: ['E_OWN'], name: 'mill' })
      expect(one.exitCode).toBe(1)
      expect(one.error).toBeInstanceOf(RangeError)
      expect(one.error).toMatchObject({ message: 'no way', code: 'E_OWN', cause: 'tests' })
    })
    expect(written).toMatch(/^Process mill:\nRangeError: no way\n {4}at /)
  })

  it('that leaves an error or a rejection uncaught ends with 1, and keeps it', async () => {
    await writtenDuring(async () => {
      expect(await ended({ target: failLater })).toMatchObject({ exitCode: 1, error: { message: 'too late' } })
      expect(await ended({ target: reject })).toMatchObject({ exitCode: 1, error: { message: 'refused' } })
    })
  })

  it('that fills its heap ends with 1, and this program lives', async () => {
    const written = await writtenDuring(async () => {
      const one = await ended({ target: fill, resourceLimits: { maxOldGenerationSizeMb: 16 } })
      expect(one).toMatchObject({ exitCode: 1, error: { code: 'ERR_WORKER_OUT_OF_MEMORY' } })
    })
    expect(written).toContain(`ERR_WORKER_OUT_OF_MEMORY`)
  })

  it('goes on after its target has returned, as long as there is something to do', async () => {
    const cells = newCells()
    expect((await ended({ target: linger, args: [cells] })).exitCode).toBe(0)
    expect(cells[DONE]).toBe(1)
  })

  it('that is terminated ends with -15, also when it loops', async () => {
    const cells = newCells()
    const one = new Process({ target: spin, args: [cells] })
    one.start()
    await begun(cells)
    await Promise.all([one.terminate(), one.terminate()])
    expect([one.isAlive, one.exitCode, one.error]).toEqual([false, -15, undefined])
    await one.terminate()
    await one.join()
  })

  it('that has ended before it is terminated keeps its code', async () => {
    const one = await ended({ target: exit, args: [3] })
    await one.terminate()
    expect(one.exitCode).toBe(3)
  })

  it('is terminated where a scope ends that has it', async () => {
    const cells = newCells()
    let one: Process<[Int32Array]>
    {
      await using scoped = new Process({ target: wait, args: [cells] })
      scoped.start()
      await begun(cells)
      one = scoped
    }
    expect([one.exitCode, cells[DONE]]).toEqual([-15, 0])
  })

  it('is not waited for longer than the timeout of join()', async () => {
    const cells = newCells()
    const one = new Process({ target: wait, args: [cells] })
    one.start()
    await one.join(0)
    await one.join(20)
    expect([one.isAlive, one.exitCode]).toEqual([true, null])
    Atomics.store(cells, GATE, 1)
    await begun(cells)
    Atomics.notify(cells, GATE)
    await one.join(Infinity)
    expect(one.exitCode).toBe(0)
  })

  it('has the environment that it is given', async () => {
    const bytes = newBytes()
    await ended({ target: readEnv, args: [bytes], env: { MILLRACE_TEST: 'own' } })
    expect(textOf(bytes)).toBe('own')
  })

  it('may start others, whose names are longer', async () => {
    const [cells, bytes] = [newCells(), newBytes()]
    const one = await ended({ target: startOne, args: [cells, bytes] })
    expect(cells[DONE]).toBe(1)
    expect(JSON.parse(textOf(bytes))).toEqual([`${one.name}:1`, 0, false])
  })

  it('that ends takes those along that it has started', async () => {
    const cells = newCells()
    const one = new Process({ target: startAndWait, args: [cells] })
    one.start()
    await begun(cells)
    await one.terminate()
    expect(one.exitCode).toBe(-15)
    // It would continue to count.
    const counted = Atomics.load(cells, DONE)
    await ended({ target: exit, args: [0] })
    expect(Atomics.load(cells, DONE)).toBe(counted)
  })

  it('is among activeChildren() while it lives', async () => {
    const cells = newCells()
    const one = new Process({ target: wait, args: [cells] })
    expect(activeChildren()).not.toContain(one)
    one.start()
    expect(activeChildren()).toContain(one)
    await one.terminate()
    expect(activeChildren()).not.toContain(one)
  })
})

describe('bad use of a process has a clear error:', () => {
  const state = (message: string): object => ({ code: 'ERR_PROCESS_STATE', message })

  it('start() twice', async () => {
    const one = await ended({ target: exit, args: [0], name: 'mill' })
    const again = Promise.resolve().then(() => {
      one.start()
    })
    expect(await rejection(again)).toMatchObject(
      state("Cannot start process 'mill' as it was started before: make a new Process for each run"),
    )
  })

  it('join() before start()', async () => {
    const one = new Process({ target: exit, args: [0], name: 'mill' })
    expect(await rejection(one.join())).toMatchObject(
      state("Cannot join process 'mill' as it was not started: call start() first"),
    )
  })

  it('a timeout that is none', async () => {
    const one = await ended({ target: exit, args: [0] })
    for (const [timeout, type] of [
      [-1, RangeError],
      [NaN, RangeError],
      ['1', TypeError],
    ] as const) {
      const error = await rejection(one.join(timeout as number))
      expect(error).toBeInstanceOf(type)
      expect(error).toMatchObject({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringMatching(
          /^Cannot join process 'Process-\d+' as 'timeout' must be a number of milliseconds/,
        ) as string,
      })
    }
  })

  it('is shown by its name and state', () => {
    const one = new Process({ target: exit, args: [0], name: 'mill' })
    expect(inspect(one, { breakLength: Infinity })).toBe("Process { name: 'mill', daemon: false, isAlive: false }")
  })

  it('close() while it runs, start() and join() after close()', async () => {
    const cells = newCells()
    const one = new Process({ target: wait, args: [cells], name: 'mill' })
    one.start()
    expect(() => {
      one.close()
    }).toThrow("Cannot close process 'mill' as it still runs: await join() or terminate() before")
    await one.terminate()
    one.close()
    one.close()
    expect(await rejection(one.join())).toMatchObject({ code: 'ERR_PROCESS_STATE' })
    expect(() => {
      one.start()
    }).toThrow("Cannot start process 'mill' as it is closed: make a new Process")
    expect(one.exitCode).toBe(-15)
  })

  it('a target that is not a task', () => {
    const make = (target: unknown): (() => unknown) => {
      return () => new Process({ target } as never)
    }
    expect(make(() => 1)).toThrow(
      /^Cannot make a process as a plain function cannot be found by another thread.*at the top level of a module$/,
    )
    for (const target of [undefined, null, 3, 'note', {}])
      expect(make(target)).toThrow(/as its task must be made by task\(/)
    expect(() => new Process(undefined as never)).toThrow(/as its task must be made by task\(/)
  })

  it('options that are none', () => {
    const make = (options: object): (() => unknown) => {
      return () => new Process({ target: exit, args: [0], ...options })
    }
    expect(make({ args: 3 })).toThrow("Cannot make a process as 'args' must be an array: received 3")
    expect(make({ name: 3 })).toThrow(/'name' must be a string/)
    expect(make({ daemon: 1 })).toThrow(/'daemon' must be true or false/)
    expect(make({ env: 1 })).toThrow(/'env' must be/)
    expect(make({ resourceLimits: { heap: 1 } })).toThrow(/'resourceLimits' must be/)
    expect(make({ arguments: [] })).toThrow(/it has no option 'arguments'/)
  })

  it('arguments that cannot be copied: it was not started then', async () => {
    const one = new Process({ target: note, args: [newCells(), { log: () => 1 }], name: 'mill' })
    let thrown: unknown
    try {
      one.start()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(NotSerializableError)
    expect(thrown).toMatchObject({
      message: "Cannot start process 'mill' as args[1].log is a function: pass plain data",
    })
    expect([one.isAlive, one.exitCode, one.pid]).toEqual([false, null, null])
    expect(activeChildren()).not.toContain(one)
    expect(await rejection(one.join())).toMatchObject({ code: 'ERR_PROCESS_STATE' })
  })
})

describe('the identity of processes', () => {
  it('in the main process and in the workers of a pool', async () => {
    expect(currentProcess()).toEqual({ name: 'MainProcess', pid: 0, daemon: false })
    expect(parentProcess()).toBe(null)
    expect(cpuCount()).toBe(availableParallelism())
    const bytes = newBytes()
    await using pool = new Pool({ workers: 1, name: 'mill' })
    for await (const _ of pool.imap(tellWho, [bytes]));
    const [own, parent] = JSON.parse(textOf(bytes)) as unknown[]
    expect(own).toMatchObject({ name: 'mill-1', daemon: true })
    expect(parent).toEqual({ name: 'MainProcess', pid: 0, daemon: false })
  })
})

describe('a program', () => {
  it('waits for its processes, and prints what they fail of', async () => {
    expect(await runProgram('processes.js', ['waits'])).toMatchObject({ code: 0, stdout: 'end\ndone\n', stderr: '' })
    const failed = await runProgram('processes.js', ['fails'])
    expect(failed).toMatchObject({ code: 0, stdout: 'end\n' })
    expect(failed.stderr).toMatch(/^Process mill:\nRangeError: no way\n/)
  })

  it('does not wait for daemons, but waits for their join()', async () => {
    expect(await runProgram('processes.js', ['daemon'])).toMatchObject({ code: 0, stdout: 'end\n', stderr: '' })
    expect(await runProgram('processes.js', ['joined daemon'])).toMatchObject({
      code: 0,
      stdout: 'done\n0\nend\n',
      stderr: '',
    })
  })
})
