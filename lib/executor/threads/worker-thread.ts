/**
 * The thread of a worker: its start with its initializer, its finalizer, and its end.
 *
 * The call of the finalizer through `threads` does not settle when its worker dies, so it is raced against the native `exit` event.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { pack, unpack } from '../../codec/codec.js'
import { decodeError } from '../../codec/error-codec/decode.js'
import type { EncodedError } from '../../codec/error-codec/types.js'
import { TaskTimeoutError } from '../../errors.js'
import { currentProcess } from '../../identity.js'
import { uncaughtInWorker, workerExited, workerStarted, type WorkerEvent } from '../../log/events.js'
import { logSettings } from '../../log/settings.js'
import { createCells } from '../../worker/cells.js'
import { LISTENING, type FromThread, type WorkerControl, type WorkerSetup } from '../../worker/protocol.js'
import { untilExited } from '../../threads/exit.js'
import { inTime } from '../../threads/in-time.js'
import { launch } from '../../threads/launch.js'
import { spawn, terminate, type SpawnableWorker } from '../../threads-package.js'
import {
  finalizerTimeoutText,
  startTimeoutText,
  type Finalized,
  type LinkEvents,
  type WorkerEnd,
  type WorkerLink,
  type WorkerMessage,
  type WorkerOptions,
} from './worker-link.js'

export class WorkerThread implements WorkerLink {
  readonly number: number
  readonly port: MessagePort
  readonly cells: Int32Array = createCells()
  readonly sharesMemory = true
  /** The worker's end of the data port. */
  readonly #workerPort: MessagePort
  /** Resolves when the worker listens there, or with the error of its initializer. */
  readonly #listening: Promise<EncodedError | undefined>
  readonly #events: LinkEvents
  readonly #options: WorkerOptions
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
  #end: WorkerEnd | undefined

  constructor(number: number, options: WorkerOptions, events: LinkEvents) {
    this.number = number
    this.#events = events
    this.#options = options
    const { port1, port2 } = new MessageChannel()
    this.port = port1
    this.#workerPort = port2
    this.#listening = new Promise((resolve) => {
      port1.on('message', (message: FromThread) => {
        if (message === LISTENING) resolve(undefined)
        else if ('type' in message && message.type === 'failedStart') resolve(message.error)
        else events.receive(message)
      })
    })
    port1.on('messageerror', events.unreadable)
    // The worker alone keeps the program alive, and only while it has work.
    port1.unref()
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
        events.wake()
      })
    }
  }

  get isOverdue(): boolean {
    return this.#isOverdue
  }

  get uncaught(): { readonly error: unknown } | undefined {
    return this.#uncaught
  }

  get state(): 'starting' | 'ready' | 'dead' {
    return this.#state
  }

  get end(): WorkerEnd | undefined {
    return this.#end
  }

  get identity(): WorkerEvent {
    const { name } = this.#options
    return { name: `${name}-${this.number}`, pid: this.#pid, pool: name, worker: this.number }
  }

  refresh(): void {
    // The thread writes the cells.
  }

  drain(): void {
    const next = (): WorkerMessage | undefined => {
      return receiveMessageOnPort(this.port)?.message as WorkerMessage | undefined
    }
    try {
      for (let message = next(); message !== undefined; message = next()) this.#events.receive(message)
    } catch {
      this.#events.unreadable()
    }
  }

  close(): void {
    this.port.close()
  }

  keepAlive(keep: boolean): void {
    if (keep === this.#refed) return
    this.#refed = keep
    if (keep) this.#worker?.ref()
    else this.#worker?.unref()
  }

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

  get isInitialized(): boolean {
    return this.#options.initializer !== undefined
  }

  kill(): void {
    if (this.#state !== 'dead') void this.#worker?.terminate()
  }

  failStart(cause: unknown): void {
    this.#state = 'starting'
    this.#cause ??= cause
    void this.#worker?.terminate()
  }

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
    return { error: new TaskTimeoutError(finalizerTimeoutText(finalizer, startTimeout, this.identity.name)) }
  }

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
    this.#events.wake()
  }

  async #open(worker: SpawnableWorker): Promise<void> {
    const controlled = this.#options.finalizer !== undefined
    const timer = this.#limitStart(worker)
    try {
      this.#setUp(worker, controlled)
      if (controlled) this.#control = await spawn<WorkerControl>(worker)
      const error = await this.#listening
      if (error !== undefined) throw decodeError(error)
      if (this.#state !== 'starting') return
      this.#state = 'ready'
      workerStarted(this.identity)
      this.#events.wake()
    } catch (cause) {
      this.#cause ??= cause
      await worker.terminate()
    } finally {
      clearTimeout(timer)
    }
  }

  #limitStart(worker: SpawnableWorker): NodeJS.Timeout | undefined {
    const { startTimeout } = this.#options
    if (startTimeout === Infinity) return undefined
    return setTimeout(() => {
      if (this.#state !== 'starting') return
      this.#isOverdue = true
      this.#cause ??= new Error(startTimeoutText(this.#options))
      void worker.terminate()
    }, startTimeout).unref()
  }

  #setUp(worker: SpawnableWorker, controlled: boolean): void {
    const { initializer, initargs, watchHeap = false } = this.#options
    const port = this.#workerPort
    const cells = this.cells.buffer as SharedArrayBuffer
    const identity = { name: this.identity.name, daemon: true, parent: currentProcess() }
    const log = logSettings()
    const setup: WorkerSetup = {
      type: 'worker',
      identity,
      log,
      port,
      worker: this.number,
      cells,
      initializer: initializer && { name: initializer, args: pack([initargs]).data },
      controlled,
      watchHeap,
    }
    worker.postMessage(setup, [port])
  }
}
