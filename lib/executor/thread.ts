/**
 * One worker thread: its start, its messages, its death. Which chunk goes to which thread is decided elsewhere, and kept
 * there (`threads.ts`); here a chunk is sent, and what comes back is reported.
 *
 * A call through `threads` never settles when its worker dies, so each is raced against the native `exit` event.
 */
import { SHARE_ENV, MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { sift, type Packed } from '../codec/codec.js'
import { openError } from '../codec/envelope.js'
import type { TaskName } from '../task.js'
import {
  createCells,
  heapOf,
  isOffered,
  markCancelled,
  offer,
  progressOf,
  settleOffer,
  type Progress,
  type Slot,
} from '../worker/cells.js'
import {
  LISTENING,
  type ChunkDetails,
  type FromWorker,
  type PartMessage,
  type ToWorker,
  type WorkerControl,
  type WorkerJob,
  type WorkerSetup,
} from '../worker/protocol.js'
import type { Chunk } from './executor.js'
import { loadThreads, SpawnableWorker, type Threads } from './threads-package.js'

/** Environment variables of a worker: its own, or, with `SHARE_ENV` of `node:worker_threads`, this thread's. */
export type WorkerEnv = Readonly<Record<string, string | undefined>> | typeof SHARE_ENV

export function isWorkerEnv(value: unknown): value is WorkerEnv {
  if (value === SHARE_ENV) return true
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((variable) => variable === undefined || typeof variable === 'string')
}

/** How a pool's threads are started; passed on to `new Worker()` of Node. */
export interface ThreadOptions {
  readonly name: string
  readonly execArgv?: readonly string[] | undefined
  readonly env?: WorkerEnv | undefined
  readonly resourceLimits?: object | undefined
  readonly initializer?: TaskName | undefined
  readonly initargs: readonly unknown[]
  readonly finalizer?: TaskName | undefined
  /** Whether the worker is to tell how much of its heap is in use. */
  readonly watchHeap?: boolean
}

/** What a thread reports. */
export interface ThreadEvents {
  ready(thread: Thread): void
  /** The thread ended, or was ended, before it was ready. */
  failed(thread: Thread, cause: unknown): void
  part(thread: Thread, message: PartMessage): void
  /** The thread has ended after it was ready. `cause` is its uncaught error, if there was one. */
  died(thread: Thread, exitCode: number, cause: unknown): void
}

/** A chunk that a thread was sent: its number there, its slot in the shared cells, and how many items and bytes that was, roughly. */
export interface Sent {
  readonly seq: number
  readonly slot: Slot
  readonly items: number
  readonly sentBytes: number
}

/** What became of a finalizer. */
export type Finalized = { readonly value: unknown; readonly error?: never } | { readonly error: unknown }

export class Thread {
  /** From 1; unique among the living threads of a pool. */
  readonly number: number
  readonly #events: ThreadEvents
  readonly #options: ThreadOptions
  readonly #cells = createCells()
  /** The jobs that the worker knows, by their numbers there. */
  readonly #jobs = new Map<WorkerJob, number>()
  #lastJob = 0
  readonly #exited: Promise<void>
  #state: 'starting' | 'ready' | 'dead' = 'starting'
  readonly #worker: SpawnableWorker | undefined
  #port: MessagePort | undefined
  #control: (WorkerControl & object) | undefined
  #cause: unknown
  #seq = 0
  /** A bit for each slot that a chunk has. */
  #slots = 0
  #refed = true
  #hasWorked = false
  #itemsSent = 0

  constructor(number: number, options: ThreadOptions, events: ThreadEvents) {
    this.number = number
    this.#events = events
    this.#options = options
    try {
      this.#worker = createWorker(number, options)
      this.#exited = this.#start(this.#worker)
    } catch (cause) {
      this.#state = 'dead'
      this.#exited = Promise.resolve().then(() => {
        events.failed(this, cause)
      })
    }
  }

  /** Whether anything has come of it. */
  get hasWorked(): boolean {
    return this.#hasWorked
  }

  /** How many items it has been given and has kept. */
  get itemsSent(): number {
    return this.#itemsSent
  }

  /** The heap it had in use after its last chunk, in bytes, garbage included; 0 unless `watchHeap` is set. */
  get heapUsed(): number {
    return heapOf(this.#cells)
  }

  get state(): 'starting' | 'ready' | 'dead' {
    return this.#state
  }

  /** Posts a chunk. Items that cannot be cloned go as errors of their own. */
  send({ items, first }: Chunk, job: WorkerJob, eager: boolean, details?: ChunkDetails): Sent {
    const seq = ++this.#seq
    const slot = lowestZeroBit(this.#slots)
    this.#slots |= 1 << slot
    this.#itemsSent += items.length
    const id = this.#jobs.get(job) ?? this.#introduce(job)
    offer(this.#cells, slot, seq)
    try {
      const { data, transfer, bytes } = items.pack()
      this.#post([seq, slot, id, first, eager, data, details], transfer)
      return { seq, slot, items: items.length, sentBytes: bytes }
    } catch {
      const { values, refused } = sift('item', items.values(), (place) => first + place)
      const settled = [...refused, ...(details?.settled ?? [])]
      this.#post([seq, slot, id, first, eager, values, { ...details, settled }])
      return { seq, slot, items: items.length, sentBytes: 0 }
    }
  }

  /** Whether the worker has begun a chunk, and maybe ended it. */
  hasTaken({ slot, seq }: Sent): boolean {
    return !isOffered(this.#cells, slot, seq)
  }

  /** How far the worker is; when the thread has ended, how far it got. */
  progress(): Progress {
    return progressOf(this.#cells)
  }

  /** No more chunks of this job will come. */
  forget(job: WorkerJob): void {
    const id = this.#jobs.get(job)
    if (id === undefined) return
    this.#jobs.delete(job)
    this.#post({ type: 'end', id })
  }

  /** Takes back a chunk that the thread has not begun; false when it has. */
  withdraw(sent: Sent): boolean {
    if (!settleOffer(this.#cells, sent.slot, sent.seq)) return false
    this.#itemsSent -= sent.items
    this.settle(sent)
    return true
  }

  /** The thread holds this chunk no more. */
  settle({ slot }: Sent): void {
    this.#slots &= ~(1 << slot)
  }

  /** Asks for a chunk to stop: the mark reaches synchronous code, the message fires the signal of what awaits. */
  cancel({ slot, seq }: Sent): void {
    markCancelled(this.#cells, slot, seq)
    this.#post({ type: 'cancel', seq })
  }

  /** Whether the thread keeps the program alive. */
  keepAlive(keep: boolean): void {
    if (keep === this.#refed) return
    this.#refed = keep
    if (keep) this.#worker?.ref()
    else this.#worker?.unref()
  }

  /** Ends the thread, whatever it does. Resolves when it has exited; never rejects. */
  async terminate(): Promise<void> {
    if (this.#control === undefined) await this.#worker?.terminate()
    else await loadThreads().Thread.terminate(this.#control)
    await this.#exited
  }

  /** Runs the finalizer, if there is one and the thread has started, and ends the thread. Never rejects. */
  async finish(): Promise<Finalized | undefined> {
    const name = this.#options.finalizer
    const control = this.#state === 'ready' && name !== undefined ? this.#control : undefined
    const finalized = name && control && (await this.#finalize(control, name))
    await this.terminate()
    return finalized
  }

  async #finalize(control: WorkerControl, name: TaskName): Promise<Finalized> {
    this.keepAlive(true)
    const died = this.#exited.then((): Finalized => ({ error: this.#cause ?? new Error('its worker ended meanwhile') }))
    const ended = control.finalize(name).then(
      ({ value, error }): Finalized => (error === undefined ? { value } : { error: openError(error) }),
      (error: unknown): Finalized => ({ error }),
    )
    return await Promise.race([ended, died])
  }

  /** Resolves when the thread has exited. Never rejects: whatever fails is reported. */
  async #start(worker: SpawnableWorker): Promise<void> {
    worker.on('error', (error) => {
      this.#cause ??= error
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
    if (wasReady) {
      this.drain()
      this.#port?.close()
      this.#events.died(this, exitCode, this.#cause)
    } else {
      this.#events.failed(this, this.#cause ?? new Error(`it ended with exit code ${exitCode} while it started`))
    }
  }

  async #open(worker: SpawnableWorker): Promise<void> {
    const { initializer, initargs, finalizer } = this.#options
    const controlled = (initializer ?? finalizer) !== undefined
    try {
      const listening = this.#setUp(worker, controlled)
      const control = controlled ? await this.#connect(worker, loadThreads()) : undefined
      if (initializer !== undefined) {
        const error = await control?.initialize(initializer, initargs)
        if (error !== undefined) throw openError(error)
      }
      await listening
      if (this.#state !== 'starting') return
      this.#state = 'ready'
      this.#events.ready(this)
    } catch (cause) {
      this.#cause ??= cause
      await worker.terminate()
    }
  }

  /** Gives the worker its end of the data port. Resolves when it listens there. */
  #setUp(worker: SpawnableWorker, controlled: boolean): Promise<void> {
    const { watchHeap = false } = this.#options
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const listening = new Promise<void>((resolve) => {
      port1.on('message', (message: FromWorker) => {
        if (message === LISTENING) resolve()
        else this.#report(message)
      })
    })
    // Results that cannot be read back leave their chunk without an answer; as a crash it gets one.
    port1.on('messageerror', (error) => {
      this.#unreadable(error)
    })
    // The worker alone keeps the program alive, and only while it has work.
    port1.unref()
    const cells = this.#cells.buffer as SharedArrayBuffer
    const setup: WorkerSetup = { port: port2, worker: this.number, cells, controlled, watchHeap }
    worker.postMessage(setup, [port2])
    return listening
  }

  /** Makes the worker's controls callable, once it exposes them. */
  async #connect(worker: SpawnableWorker, threads: Threads): Promise<WorkerControl & object> {
    await worker.exposed
    const control = await threads.spawn<WorkerControl & object>(worker)
    this.#control = control
    return control
  }

  #introduce(job: WorkerJob): number {
    const id = ++this.#lastJob
    this.#jobs.set(job, id)
    this.#post({ type: 'job', id, job })
    return id
  }

  #post(message: ToWorker, transfer: Packed['transfer'] = []): void {
    this.#port?.postMessage(message, transfer)
  }

  #report(message: PartMessage): void {
    this.#hasWorked = true
    this.#events.part(this, message)
  }

  /** Reports what the thread has posted and nobody has heard of yet. */
  drain(): void {
    const port = this.#port
    if (port === undefined) return
    try {
      const next = (): PartMessage | undefined => receiveMessageOnPort(port)?.message as PartMessage | undefined
      for (let message = next(); message !== undefined; message = next()) this.#report(message)
    } catch (error) {
      // A part that cannot be read back: its items, and what came after it, are lost with the thread.
      this.#unreadable(error)
    }
  }

  #unreadable(error: unknown): void {
    this.#cause ??= error
    if (this.#state !== 'dead') void this.#worker?.terminate()
  }
}

function lowestZeroBit(bits: number): number {
  return 31 - Math.clz32(~bits & (bits + 1))
}

/**
 * What a worker makes dies young, chunk by chunk: it needs no more than a third of the 48 MiB to which Node lets the young
 * generation of a thread grow, and the rest would only add to the memory of the process.
 */
const YOUNG_GENERATION_MB = 16

function createWorker(number: number, options: ThreadOptions): SpawnableWorker {
  const { name, env, resourceLimits } = options
  // Node's own default hands on the options of `node --input-type=module -e …`, with which no file can be run.
  const execArgv = options.execArgv ?? (process.execArgv.some((arg) => arg.startsWith('--input-type')) ? [] : undefined)
  return new SpawnableWorker(new URL(import.meta.resolve('#worker')), {
    name: `${name}-${number}`,
    ...(execArgv && { execArgv: [...execArgv] }),
    ...(env !== undefined && { env: typeof env === 'symbol' ? env : withoutUndefined(env) }),
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB, ...resourceLimits },
  })
}

/** Node would make the text 'undefined' of a variable that was left out this way. */
function withoutUndefined(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
}
