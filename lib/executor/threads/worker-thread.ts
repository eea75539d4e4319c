/**
 * The thread of a worker: its start with its initializer, its finalizer, and its end.
 *
 * A call through `threads` does not settle when its worker dies, so each is raced against the native `exit` event.
 */
import { pack, unpack } from '../../codec/codec.js'
import { decodeError } from '../../codec/error-codec/decode.js'
import { TaskTimeoutError } from '../../errors.js'
import type { TaskName } from '../../task.js'
import { currentProcess } from '../../identity.js'
import { uncaughtInWorker, workerExited, workerStarted, type WorkerEvent } from '../../log/events.js'
import { logSettings } from '../../log/settings.js'
import type { WorkerControl, WorkerSetup } from '../../worker/protocol.js'
import { untilExited } from '../../threads/exit.js'
import { inTime } from '../../threads/in-time.js'
import { launch, type LaunchOptions } from '../../threads/launch.js'
import { spawn, terminate, type SpawnableWorker } from '../../threads-package.js'

/** How a pool's threads are started. */
export interface ThreadOptions extends LaunchOptions {
  readonly name: string
  readonly initializer?: TaskName | undefined
  readonly initargs: readonly unknown[]
  readonly finalizer?: TaskName | undefined
  /** How long its start with its initializer, and its finalizer, may each take, in milliseconds. */
  readonly startTimeout: number
  /** Whether the worker tells how much of its heap is in use. */
  readonly watchHeap?: boolean
}

/** The worker's end of the data port, and the cells that it shares. */
interface WorkerChannel extends Pick<WorkerSetup, 'port' | 'cells'> {
  /** Resolves when the worker listens at the port. */
  readonly listening: Promise<void>
}

interface ThreadEnd {
  /** Whether it had been ready. */
  readonly wasReady: boolean
  readonly exitCode: number
  /** Its uncaught error, if there was one. If it had not been ready: why. */
  readonly cause: unknown
}

/** The value or the error of a finalizer. */
export type Finalized = { readonly value: unknown; readonly error?: never } | { readonly error: unknown }

export class WorkerThread {
  readonly number: number
  readonly #channel: WorkerChannel
  readonly #wake: () => void
  readonly #options: ThreadOptions
  readonly #exited: Promise<void>
  readonly #pid: number
  #state: 'starting' | 'ready' | 'dead' = 'starting'
  readonly #worker: SpawnableWorker | undefined
  #control: WorkerControl | undefined
  #cause: unknown
  #uncaught: { readonly error: unknown } | undefined
  #isEnding = false
  #refed = true
  #isOverdue = false
  #end: ThreadEnd | undefined

  /**
   * @param number From 1; unique among the living threads of a pool.
   * @param wake Called when it is ready, and when it has ended.
   */
  constructor(number: number, options: ThreadOptions, channel: WorkerChannel, wake: () => void) {
    this.number = number
    this.#channel = channel
    this.#wake = wake
    this.#options = options
    try {
      this.#worker = launch(this.identity.name, options)
      this.#pid = this.#worker.threadId
      this.#exited = this.#start(this.#worker)
    } catch (cause) {
      this.#state = 'dead'
      this.#pid = -1
      this.#exited = Promise.resolve().then(() => {
        workerExited({ ...this.identity, exitCode: 1, wasAsked: this.#isEnding, error: cause }, false)
        this.#end = { wasReady: false, exitCode: 1, cause }
        wake()
      })
    }
  }

  /** Whether it was ended because it was not ready in time. */
  get isOverdue(): boolean {
    return this.#isOverdue
  }

  /** The uncaught error that has ended it. */
  get uncaught(): { readonly error: unknown } | undefined {
    return this.#uncaught
  }

  get state(): 'starting' | 'ready' | 'dead' {
    return this.#state
  }

  /** Set when it has ended. */
  get end(): ThreadEnd | undefined {
    return this.#end
  }

  get identity(): WorkerEvent {
    const { name } = this.#options
    return { name: `${name}-${this.number}`, pid: this.#pid, pool: name, worker: this.number }
  }

  /** Lets the thread keep the program alive, or not. */
  keepAlive(keep: boolean): void {
    if (keep === this.#refed) return
    this.#refed = keep
    if (keep) this.#worker?.ref()
    else this.#worker?.unref()
  }

  /** Ends the thread at once. Resolves when it has exited; never rejects. */
  async terminate(): Promise<void> {
    this.#isEnding = true
    try {
      if (this.#control !== undefined) await terminate(this.#control)
    } catch {
      // The worker is ended below in any case.
    }
    await this.#worker?.terminate()
    await this.#exited
  }

  /** Whether its pool has an initializer: code of the user may have run on it before it is ready. */
  get isInitialized(): boolean {
    return this.#options.initializer !== undefined
  }

  /** Ends the thread at once. It is reported as if it had ended by itself. */
  kill(): void {
    if (this.#state !== 'dead') void this.#worker?.terminate()
  }

  /** It was ready, but cannot work: this counts as a failed start. */
  failStart(cause: unknown): void {
    this.#state = 'starting'
    this.#cause ??= cause
    void this.#worker?.terminate()
  }

  /** Runs the finalizer, if there is one and the thread is ready. Never rejects. */
  async finalize(): Promise<Finalized | undefined> {
    const { finalizer, startTimeout } = this.#options
    if (this.#state !== 'ready' || finalizer === undefined || this.#control === undefined) return undefined
    this.keepAlive(true)
    const died = this.#exited.then((): Finalized => ({ error: this.#cause ?? new Error('its worker ended meanwhile') }))
    const ended = this.#control.finalize(finalizer).then(
      ({ value, error }): Finalized =>
        error === undefined ? { value: value && unpack(value)[0] } : { error: decodeError(error) },
      (error: unknown): Finalized => ({ error }),
    )
    const finalized = Promise.race([ended, died])
    if (await inTime(finalized, startTimeout)) return await finalized
    const what = `Finalizer '${finalizer.id}' of ${finalizer.module} did not end within ${startTimeout} ms`
    return {
      error: new TaskTimeoutError(`${what} (worker '${this.identity.name}'): give the pool a longer startTimeout`),
    }
  }

  /** The thread was asked to end by itself. Settles when it has ended, or is given up. Never rejects. */
  async untilExited(isBlocked: () => boolean): Promise<void> {
    if (this.#worker === undefined) return
    this.#isEnding = true
    this.keepAlive(true)
    await untilExited(this.#worker, this.#exited, isBlocked)
  }

  /** Resolves when the thread has exited. Never rejects: failures are reported. */
  async #start(worker: SpawnableWorker): Promise<void> {
    worker.on('error', (error) => {
      this.#cause ??= error
      this.#uncaught ??= { error }
    })
    const exited = new Promise<void>((resolve) => {
      worker.once('exit', (exitCode) => {
        this.#onExit(exitCode)
        resolve()
      })
    })
    await Promise.race([this.#open(worker), exited])
    await exited
  }

  #onExit(exitCode: number): void {
    const wasReady = this.#state === 'ready'
    this.#state = 'dead'
    // Thrown by a handler of `exit`, or by a cancelled item: nobody asks for its outcome.
    if (this.#isEnding && this.#uncaught !== undefined) uncaughtInWorker(this.identity, this.#uncaught.error)
    workerExited({ ...this.identity, exitCode, wasAsked: this.#isEnding, error: this.#cause }, wasReady)
    const cause =
      this.#cause ?? (wasReady ? undefined : new Error(`it ended with exit code ${exitCode} while it started`))
    this.#end = { wasReady, exitCode, cause }
    this.#wake()
  }

  async #open(worker: SpawnableWorker): Promise<void> {
    const { initializer, initargs, finalizer } = this.#options
    const controlled = (initializer ?? finalizer) !== undefined
    const timer = this.#limitStart(worker)
    try {
      this.#setUp(worker, controlled)
      if (controlled) this.#control = await spawn<WorkerControl>(worker)
      if (initializer !== undefined) {
        const error = await this.#control?.initialize(initializer, pack([initargs]).data)
        if (error !== undefined) throw decodeError(error)
      }
      await this.#channel.listening
      if (this.#state !== 'starting') return
      this.#state = 'ready'
      workerStarted(this.identity)
      this.#wake()
    } catch (cause) {
      this.#cause ??= cause
      await worker.terminate()
    } finally {
      clearTimeout(timer)
    }
  }

  #limitStart(worker: SpawnableWorker): NodeJS.Timeout | undefined {
    const { startTimeout, initializer } = this.#options
    if (startTimeout === Infinity) return undefined
    const what =
      initializer === undefined
        ? `a worker did not start within ${startTimeout} ms: a module that its execArgv loads may await something that never settles`
        : `initializer '${initializer.id}' of ${initializer.module} did not end within ${startTimeout} ms: it may await something that never settles`
    return setTimeout(() => {
      if (this.#state !== 'starting') return
      this.#isOverdue = true
      this.#cause ??= new Error(`${what}; or give the pool a longer startTimeout`)
      void worker.terminate()
    }, startTimeout).unref()
  }

  #setUp(worker: SpawnableWorker, controlled: boolean): void {
    const { watchHeap = false } = this.#options
    const { port, cells } = this.#channel
    const identity = { name: this.identity.name, daemon: true, parent: currentProcess() }
    const log = logSettings()
    const setup: WorkerSetup = {
      type: 'worker',
      identity,
      log,
      port,
      worker: this.number,
      cells,
      controlled,
      watchHeap,
    }
    worker.postMessage(setup, [port])
  }
}
