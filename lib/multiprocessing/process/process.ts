/** `Process`: a task that runs on a separate thread, or in a process of the system, from beginning to end. */
import { inspect } from 'node:util'
import { MillraceError } from '../../errors.js'
import { currentProcess, parentProcess } from '../../identity.js'
import { showState } from '../../inspect.js'
import { logUncaught, processExited, processStarted } from '../../log/events.js'
import { stateOf } from '../show.js'
import { LocalWaitQueue } from '../sync/local-wait-queue.js'
import { readLimits, type WaitOptions } from '../sync/limits.js'
import { addEnding, removeEnding } from '../../worker/ending.js'
import { assertMayStart } from '../../worker/guard.js'
import type { Child } from './child.js'
import { ChildProcess } from './child-process.js'
import { ChildThread } from './child-thread.js'
import { readProcessOptions, type GivenProcess, type ProcessOptions } from './options.js'

const children = new Set<Process<readonly unknown[]>>()
let made = 0
let endDaemons: () => Promise<void>

/**
 * A task on a separate thread, with its own heap and modules. Only shared objects are shared. It is not a process of
 * the system: a native crash ends the whole program, `process.chdir()` does not work, and `pid` is a thread id. With
 * `isolation: 'process'` it is one, and nothing is shared.
 *
 * It ends when the target has settled and its event loop has nothing left to do. The program waits for it, unless it is
 * a daemon. A process ends when the process that started it ends. A start takes some tens of milliseconds and a few
 * MiB; that of a process of the system some 100 ms and 50 MB.
 *
 * @throws {TypeError} `ERR_INVALID_OPTION`: an option has a wrong type or value. `ERR_INVALID_TASK`: the target is not
 * a task.
 *
 * @example
 * ```ts
 * import { isMainThread, task } from 'millrace'
 * import { Process } from 'millrace/multiprocessing'
 *
 * const greet = task(import.meta.url, 'greet', (name: string) => {
 *   if (name === '') process.exit(3)
 * })
 *
 * if (isMainThread) {
 *   const [one, two] = ['Ada', ''].map((name) => new Process({ target: greet, args: [name] }))
 *   one?.start()
 *   two?.start()
 *   await Promise.all([one?.join(), two?.join()])
 *   console.log(one?.name, one?.exitCode, two?.exitCode)
 *   // → Process-1 0 3
 * }
 * ```
 */
export class Process<A extends readonly unknown[] = readonly never[]> implements AsyncDisposable {
  /**
   * Resolves with the exit code at the end; never rejects. Unlike `join()`, it does not keep the program alive.
   */
  readonly sentinel: Promise<number>
  readonly #name: string
  readonly #daemon: boolean
  /** Without the arguments: they are kept only until it has ended. */
  readonly #given: Omit<GivenProcess, 'args'>
  #args: readonly unknown[]
  #child: Child | undefined
  #pid: number | null = null
  #exitCode: number | null = null
  #error: unknown
  #failed = false
  #isClosed = false
  readonly #joining = new LocalWaitQueue()
  /** The number of `join()` calls that keep the program alive. */
  #joins = 0
  #ended!: (exitCode: number) => void

  constructor(options: ProcessOptions<A>) {
    const { args, ...given } = readProcessOptions(options)
    this.#given = given
    this.#args = args
    const own = currentProcess()
    made++
    this.#name = given.name ?? (parentProcess() === null ? `Process-${made}` : `${own.name}:${made}`)
    this.#daemon = given.daemon ?? own.daemon
    this.sentinel = new Promise((resolve) => {
      this.#ended = resolve
    })
  }

  /** The name that it was made with. The log, stderr and `currentProcess()` of its thread show it. */
  get name(): string {
    return this.#name
  }

  /** Whether the program can end while it runs. */
  get daemon(): boolean {
    return this.#daemon
  }

  /** Whether it has been started and has not ended. */
  get isAlive(): boolean {
    return this.#child !== undefined && this.#exitCode === null
  }

  /**
   * `null` until it has ended. Then 0 if the target returned, n after `process.exit(n)`, -15 after `terminate()`, and 1
   * after an uncaught error or at its memory limit. With isolation `'process'`, -n if signal number n has ended it: -6
   * after `process.abort()` and at the memory limit, -9 after `kill -9`.
   */
  get exitCode(): number | null {
    return this.#exitCode
  }

  /**
   * Its thread id, once it was started. No other thread of the program ever has the same one. With isolation `'process'`
   * the process id, or -1 if the system could not start it.
   */
  get pid(): number | null {
    return this.#pid
  }

  /** The error that ended it: thrown by the target, or uncaught. `undefined` if there was none. */
  get error(): unknown {
    return this.#error
  }

  /**
   * Starts it. You can do that once.
   *
   * @throws {Error} `ERR_PROCESS_STATE`: it was started before, or is closed.
   * @throws {NotSerializableError} `args` hold something that cannot be copied to another thread. With isolation
   * `'process'`, also for what only threads can share, such as a `Lock` or a `SharedArrayBuffer`.
   * @throws {MainThreadGuardError} This thread is a worker that is only importing its tasks.
   * @throws {Error} Node cannot start a thread or a process, for example because too many files are open.
   */
  start(): void {
    if (this.#isClosed) throw this.#stateError('start', 'it is closed', 'make a new Process')
    if (this.#child !== undefined)
      throw this.#stateError('start', 'it was started before', 'make a new Process for each run')
    const action = `start process '${this.name}'`
    assertMayStart(action)
    const OneChild = this.#given.isolation === 'process' ? ChildProcess : ChildThread
    const identity = { name: this.name, daemon: this.daemon }
    this.#child = new OneChild(
      { ...this.#given, action, identity, args: this.#args },
      {
        failed: (error) => {
          this.#fail(error)
        },
        ended: (exitCode) => {
          this.#onExit(exitCode)
        },
      },
    )
    const { pid } = this.#child
    this.#pid = pid
    children.add(this)
    addEnding(endDaemons)
    this.#keepAlive()
    processStarted({ name: this.name, pid })
  }

  /**
   * Waits until it has ended, and keeps the program alive until then.
   *
   * @param options The longest wait in milliseconds, or `{ timeout, signal }`: see `WaitOptions`. Default: no limit.
   * Afterwards `exitCode` is `null` if it has not ended.
   * @throws {Error} `ERR_PROCESS_STATE`: it was not started, or is closed. Errors of the target are in `error`.
   * @throws {RangeError | TypeError} If an option is invalid.
   */
  async join(options?: number | WaitOptions): Promise<void> {
    const limits = readLimits(`join process '${this.name}'`, options)
    if (this.#isClosed) throw this.#stateError('join', 'it is closed', 'read its exitCode before close()')
    if (this.#child === undefined) throw this.#stateError('join', 'it was not started', 'call start() first')
    if (!this.isAlive) return
    this.#joins++
    this.#keepAlive()
    try {
      await this.#joining.wait(limits)
    } finally {
      this.#joins--
      this.#keepAlive()
    }
  }

  /**
   * Ends it now, even in the middle of its work, with the processes that it has started. With isolation `'process'` it
   * sends SIGTERM, which the target can handle, and after 1 s SIGKILL. Resolves when it has ended. Does nothing if it
   * does not run.
   */
  async terminate(): Promise<void> {
    if (this.isAlive) await this.#child?.terminate()
  }

  /**
   * Marks it as not needed any more: it cannot be started or joined after that.
   *
   * @throws {Error} `ERR_PROCESS_STATE`: it still runs.
   */
  close(): void {
    if (this.isAlive) throw this.#stateError('close', 'it still runs', 'await join() or terminate() before')
    this.#isClosed = true
  }

  /** As `terminate()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate()
  }

  static {
    endDaemons = async () => {
      const daemons = [...children].filter(({ daemon }) => daemon)
      await Promise.all(daemons.map(async (process) => process.#child?.leave()))
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#error = error
  }

  #onExit(exitCode: number): void {
    this.#exitCode = exitCode
    children.delete(this)
    if (children.size === 0) removeEnding(endDaemons)
    // Shared objects were kept here while the thread had them.
    this.#args = []
    const identity = { name: this.name, pid: Number(this.#pid) }
    if (this.#failed && !logUncaught(identity, this.#error)) {
      process.stderr.write(`Process ${this.name}:\n${inspect(this.#error)}\n`)
    }
    processExited({ ...identity, exitCode: this.#exitCode, error: this.#error })
    this.#ended(this.#exitCode)
    this.#joining.wakeAll()
  }

  #keepAlive(): void {
    if (!this.isAlive) return
    this.#child?.keepAlive(!this.daemon || this.#joins > 0)
  }

  #stateError(verb: string, reason: string, cure: string): Error {
    return new MillraceError(`Cannot ${verb} process '${this.name}' as ${reason}: ${cure}`, 'ERR_PROCESS_STATE')
  }
}

showState(Process.prototype, (process) => stateOf(process, Object.prototype))

/**
 * The processes that this thread has started and that have not ended.
 *
 * @example
 * ```ts
 * import { isMainThread, task } from 'millrace'
 * import { activeChildren, Process } from 'millrace/multiprocessing'
 *
 * const sleep = task(import.meta.url, 'sleep', () => new Promise((resolve) => setTimeout(resolve, 60_000)))
 *
 * if (isMainThread) {
 *   await using one = new Process({ target: sleep, name: 'sleeper' })
 *   one.start()
 *   console.log(activeChildren().map(({ name }) => name))
 *   // → [ 'sleeper' ]
 * }
 * ```
 */
export function activeChildren(): Process<readonly unknown[]>[] {
  return [...children]
}
