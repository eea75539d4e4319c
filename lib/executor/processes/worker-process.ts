/** The process of a worker: its start with its initializer, its finalizer, and its end. */
import { pack, unpack } from '../../codec/codec.js'
import { decodeError } from '../../codec/error-codec/decode.js'
import { TaskTimeoutError } from '../../errors.js'
import { currentProcess } from '../../identity.js'
import { uncaughtInWorker, workerExited, workerStarted, type WorkerEvent } from '../../log/events.js'
import { relay } from '../../log/record.js'
import { logSettings } from '../../log/settings.js'
import { SpawnedProcess, type ProcessEnd } from '../../processes/spawned-process.js'
import { inTime } from '../../threads/in-time.js'
import { createCells, progressCells } from '../../worker/cells.js'
import { LISTENING, type ChildMessage, type ChildSetup, type FromChild } from '../../worker/protocol.js'
import {
  finalizerTimeoutText,
  startTimeoutText,
  type Finalized,
  type LinkEvents,
  type WorkerEnd,
  type WorkerLink,
  type WorkerOptions,
  type WorkerPort,
} from '../threads/worker-link.js'

/** How long a process that was asked to end may take, in milliseconds: its `exit` handlers run meanwhile. */
const EXIT_TIMEOUT_MS = 1_000
/** The same while its event loop is blocked, so that it cannot end. */
const BLOCKED_EXIT_TIMEOUT_MS = 100

export class WorkerProcess implements WorkerLink {
  readonly number: number
  readonly port: WorkerPort
  readonly cells: Int32Array = createCells()
  readonly sharesMemory = false
  readonly #events: LinkEvents
  readonly #options: WorkerOptions
  readonly #process: SpawnedProcess | undefined
  readonly #pid: number
  /** Settles when it has ended. */
  readonly #exited: Promise<void>
  #onExited!: () => void
  #state: 'starting' | 'ready' | 'dead' = 'starting'
  readonly #startTimer: NodeJS.Timeout | undefined
  #finalized: ((finalized: Finalized) => void) | undefined
  #cause: unknown
  #uncaught: { readonly error: unknown } | undefined
  #isEnding = false
  #isOverdue = false
  #end: WorkerEnd | undefined

  constructor(number: number, options: WorkerOptions, events: LinkEvents) {
    this.number = number
    this.#options = options
    this.#events = events
    this.#exited = new Promise((resolve) => {
      this.#onExited = resolve
    })
    this.port = {
      postMessage: (message) => {
        this.#process?.post(message)
      },
    }
    try {
      this.#process = this.#spawn()
      this.#pid = this.#process.pid
    } catch (error) {
      this.#pid = -1
      const cause = { error }
      queueMicrotask(() => {
        this.#onEnded({ exitCode: 1, signal: undefined, cause, isUncaught: false })
      })
      return
    }
    this.#startTimer = this.#limitStart()
  }

  get identity(): WorkerEvent {
    const { name } = this.#options
    return { name: `${name}-${this.number}`, pid: this.#pid, pool: name, worker: this.number }
  }

  get state(): 'starting' | 'ready' | 'dead' {
    return this.#state
  }

  get end(): WorkerEnd | undefined {
    return this.#end
  }

  get uncaught(): { readonly error: unknown } | undefined {
    return this.#uncaught
  }

  get isOverdue(): boolean {
    return this.#isOverdue
  }

  get isInitialized(): boolean {
    return this.#options.initializer !== undefined
  }

  refresh(): void {
    this.#process?.readProgress(progressCells(this.cells))
  }

  drain(): void {
    // What it has sent is read when its pipe is: before its end is reported, all of it was.
  }

  close(): void {
    this.refresh()
    this.#process?.close()
  }

  keepAlive(keep: boolean): void {
    this.#process?.keepAlive(keep)
  }

  async terminate(): Promise<void> {
    this.#isEnding = true
    // Somebody awaits its end: the program must not end before.
    this.keepAlive(true)
    this.#process?.kill()
    await this.#exited
  }

  kill(): void {
    this.#process?.kill()
  }

  failStart(cause: unknown): void {
    this.#state = 'starting'
    this.#cause ??= cause
    this.kill()
  }

  async finalize(): Promise<Finalized | undefined> {
    const { finalizer, startTimeout } = this.#options
    if (this.#state !== 'ready' || finalizer === undefined) return undefined
    this.keepAlive(true)
    const died = this.#exited.then((): Finalized => ({ error: this.#cause ?? new Error('its worker ended meanwhile') }))
    const ended = new Promise<Finalized>((resolve) => {
      this.#finalized = resolve
    })
    this.#send({ type: 'finalize', name: finalizer })
    const finalized = Promise.race([ended, died])
    if (await inTime(finalized, startTimeout)) return await finalized
    return { error: new TaskTimeoutError(finalizerTimeoutText(finalizer, startTimeout, this.identity.name)) }
  }

  async untilExited(isBlocked: () => boolean): Promise<void> {
    this.#isEnding = true
    this.keepAlive(true)
    if (await inTime(this.#exited, BLOCKED_EXIT_TIMEOUT_MS)) return
    if (!isBlocked()) await inTime(this.#exited, EXIT_TIMEOUT_MS - BLOCKED_EXIT_TIMEOUT_MS)
  }

  #spawn(): SpawnedProcess {
    const { watchHeap = false, initializer, initargs } = this.#options
    const { name } = this.identity
    const identity = { name, daemon: true, parent: { ...currentProcess(), pid: process.pid } }
    const log = Int32Array.from(logSettings())
    const setup: ChildSetup = {
      type: 'worker',
      identity,
      log,
      worker: this.number,
      watchHeap,
      initializer: initializer && { name: initializer, args: pack([initargs]).data },
    }
    return new SpawnedProcess('worker', setup, this.#options, {
      receive: (message) => {
        this.#receive(message as FromChild)
      },
      unreadable: this.#events.unreadable,
      ended: (end) => {
        this.#onEnded(end)
      },
    })
  }

  #send(message: ChildMessage): void {
    this.#process?.post(message)
  }

  #receive(message: FromChild): void {
    if (message === LISTENING) this.#onReady()
    else if (!('type' in message)) this.#events.receive(message)
    else if (message.type === 'failedStart') this.#failed(decodeError(message.error))
    else if (message.type === 'finalized') {
      const { value, error } = message
      this.#finalized?.(error === undefined ? { value: value && unpack(value)[0] } : { error: decodeError(error) })
    } else if (message.type === 'millrace.log') relay(message)
    else this.#events.receive(message)
  }

  #onReady(): void {
    if (this.#state !== 'starting') return
    clearTimeout(this.#startTimer)
    this.#state = 'ready'
    workerStarted(this.identity)
    this.#events.wake()
  }

  #failed(cause: unknown): void {
    this.#cause ??= cause
    this.kill()
  }

  #onEnded({ exitCode, signal, cause: ended, isUncaught }: ProcessEnd): void {
    clearTimeout(this.#startTimer)
    const wasReady = this.#state === 'ready'
    this.#state = 'dead'
    this.#cause ??= ended?.error
    if (isUncaught) this.#uncaught = ended
    // Thrown by a handler of `exit`, or by a cancelled item: nobody asks for its outcome.
    if (this.#isEnding && this.#uncaught !== undefined) uncaughtInWorker(this.identity, this.#uncaught.error)
    workerExited({ ...this.identity, exitCode, wasAsked: this.#isEnding, error: this.#cause }, wasReady)
    const how = signal === undefined ? `with exit code ${exitCode}` : `by ${signal}`
    const cause = this.#cause ?? (wasReady ? undefined : new Error(`it ended ${how} while it started`))
    this.#end = { wasReady, exitCode, signal, cause }
    this.#onExited()
    this.#events.wake()
  }

  #limitStart(): NodeJS.Timeout | undefined {
    const { startTimeout } = this.#options
    if (startTimeout === Infinity) return undefined
    return setTimeout(() => {
      if (this.#state !== 'starting') return
      this.#isOverdue = true
      this.#failed(new Error(startTimeoutText(this.#options)))
    }, startTimeout).unref()
  }
}
