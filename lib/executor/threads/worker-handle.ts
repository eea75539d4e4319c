/**
 * One worker as its pool sees it. It owns the data port, the shared cells and the chunks that the worker holds: only
 * this file changes which those are. Chunks go out with `assign()`; their outcomes are reported. Which chunk goes to
 * which worker is decided elsewhere.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { decodeError } from '../../codec/error-codec/decode.js'
import type { EncodedError } from '../../codec/error-codec/types.js'
import type { WorkerEvent } from '../../log/events.js'
import { createCells, heapOf, isPublished, progressOf, type Progress } from '../../worker/cells.js'
import { LISTENING, type FromWorker, type PartMessage, type WorkerJob } from '../../worker/protocol.js'
import { ChunkSender, type Assignment } from './chunk-sender.js'
import type { ThreadLane } from './thread-lane.js'
import { lacksResources } from '../resources.js'
import type { InFlightChunk } from './in-flight-chunk.js'
import type { Mailbox } from '../../fifo.js'
import { TimeLimit } from './time-limit.js'
import { WorkerThread, type Finalized, type ThreadOptions } from './worker-thread.js'

type Message = Exclude<FromWorker, typeof LISTENING>

/** What a worker reports. That it can be given chunks is no report: its pool is only woken. */
export type Report =
  /** The first outcomes of a worker have come: it did start, and can work. */
  | { readonly kind: 'working' }
  /** Outcomes of a chunk have come. After the last ones of a chunk, the worker does not hold it any more. */
  | { readonly kind: 'part'; readonly worker: WorkerHandle; readonly held: Assignment; readonly message: PartMessage }
  /** An item has been running for too long, or its task has been loading for too long. */
  | { readonly kind: 'overdue'; readonly worker: WorkerHandle; readonly progress: Progress }
  /** The thread has ended, or could not be started. */
  | { readonly kind: 'ended'; readonly worker: WorkerHandle }

export class WorkerHandle {
  readonly thread: WorkerThread
  readonly #reports: Mailbox<Report>
  readonly #cells = createCells()
  readonly #port: MessagePort
  readonly #sender: ChunkSender
  readonly #timeLimit: TimeLimit
  /** What the worker holds, in the order in which it runs them. */
  #assignments: Assignment[] = []
  #hasWorked = false
  #isUnreadable = false

  /** @param number From 1; unique among the living workers of a pool. */
  constructor(number: number, options: ThreadOptions, reports: Mailbox<Report>) {
    this.#reports = reports
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#sender = new ChunkSender(port1, this.#cells)
    const listening = new Promise<void>((resolve) => {
      port1.on('message', (message: FromWorker) => {
        if (message === LISTENING) resolve()
        else this.#receive(message)
      })
    })
    port1.on('messageerror', () => {
      this.#onUnreadable()
    })
    // The worker alone keeps the program alive, and only while it has work.
    port1.unref()
    if (options.initializer !== undefined) this.#sender.loads(options.initializer.module)
    const channel = { port: port2, cells: this.#cells.buffer as SharedArrayBuffer, listening }
    this.thread = new WorkerThread(number, options, channel, () => {
      this.#onThread()
    })
    this.#timeLimit = new TimeLimit(this, options.startTimeout, (progress) => {
      reports.post({ kind: 'overdue', worker: this, progress })
    })
  }

  get number(): number {
    return this.thread.number
  }

  /** Who it is. */
  get identity(): WorkerEvent {
    return this.thread.identity
  }

  get isReady(): boolean {
    return this.thread.state === 'ready'
  }

  /** The chunks that it holds, in the order in which it runs them. */
  get assignments(): readonly Assignment[] {
    return this.#assignments
  }

  /** Whether it holds a chunk of this lane. */
  holds(lane: ThreadLane): boolean {
    for (const { inFlight } of this.#assignments) if (inFlight.lane === lane) return true
    return false
  }

  /** Whether it has given any outcomes. */
  get hasWorked(): boolean {
    return this.#hasWorked
  }

  /** Whether a message of it could not be read: it is being ended, and reports nothing from then on. */
  get isUnreadable(): boolean {
    return this.#isUnreadable
  }

  /** Whether it has loaded a module of tasks that this thread has evaluated again since. */
  get isOutdated(): boolean {
    return this.#sender.isOutdated
  }

  /** How many items the worker has been sent and has kept. */
  get itemsSent(): number {
    return this.#sender.itemsSent
  }

  /** The heap that the worker had in use after its last chunk, in bytes, garbage included; 0 unless it was asked to tell. */
  get heapUsed(): number {
    return heapOf(this.#cells)
  }

  /**
   * Sends what is left of a chunk. Getters of its items are called, which may end its stream.
   *
   * Where the stream has ended meanwhile, the worker does not hold it; or, if it has begun it already, it is to stop.
   */
  assign(inFlight: InFlightChunk): void {
    const { lane } = inFlight
    const { chunk, details } = inFlight.next()
    // Getters of items are called there, and the option `transfer`.
    const assignment = lane.client.context.runInAsyncScope(() => this.#sender.send(inFlight, chunk, details))
    if (!lane.isOpen) {
      if (this.#sender.withdraw(assignment)) return
      this.#sender.cancel(assignment)
    }
    this.#assignments.push(assignment)
    if (lane.job.timeout !== undefined || !assignment.known.isLoaded) this.#timeLimit.watch()
  }

  /** Takes back a chunk that the worker has not begun; false when it has. */
  withdraw(assignment: Assignment): boolean {
    if (!this.#sender.withdraw(assignment)) return false
    this.#assignments.splice(this.#assignments.indexOf(assignment), 1)
    return true
  }

  /** Asks for a chunk to stop: the mark reaches synchronous code, the message fires the signal of what awaits. */
  cancel(assignment: Assignment, reason?: EncodedError): void {
    this.#sender.cancel(assignment, reason)
  }

  /** It is ending, or has ended. @returns What it held, for others to run: it holds nothing any more, and gives no more outcomes. */
  lost(): readonly Assignment[] {
    const lost = this.#assignments
    this.#assignments = []
    this.#timeLimit.stop()
    return lost
  }

  /** No more chunks of this job will come. */
  forget(job: WorkerJob): void {
    this.#sender.forget(job)
  }

  /** Whether the worker has begun a chunk, and maybe ended it. */
  hasTaken({ slot, seq }: Assignment): boolean {
    return !isPublished(this.#cells, slot, seq)
  }

  /** How far the worker is; when it has ended, how far it got. */
  progress(): Progress {
    return progressOf(this.#cells)
  }

  /** Reports what the worker has posted and nobody has heard of yet. */
  drain(): void {
    const next = (): Message | undefined => receiveMessageOnPort(this.#port)?.message as Message | undefined
    try {
      for (let message = next(); message !== undefined; message = next()) this.#receive(message)
    } catch {
      this.#onUnreadable()
    }
  }

  /**
   * Runs the finalizer, if there is one and the worker has started. Then the worker ends by itself, so that nothing of what it has
   * printed is lost; one that is still at a cancelled chunk may be there for long, and is ended at once. Never rejects.
   */
  async finish(): Promise<Finalized | undefined> {
    const isBusy = this.lost().length > 0
    const finalized = await this.thread.finalize()
    if (this.isReady && !isBusy) await this.#leave()
    await this.thread.terminate()
    return finalized
  }

  /**
   * Lets the worker end by itself as the program ends, without its finalizer: what it has printed arrives, and its `exit` handlers run.
   * One on which no code of the user has run yet is ended at once, and one that is blocked by a synchronous item soon. Never rejects.
   */
  async leave(): Promise<void> {
    this.lost()
    if (this.isReady || this.thread.isInitialized) await this.#leave()
    await this.thread.terminate()
  }

  async #leave(): Promise<void> {
    this.#sender.dismiss()
    await this.thread.untilExited(() => {
      const { seq, isAwaiting } = this.progress()
      return seq !== 0 && !isAwaiting
    })
  }

  #onThread(): void {
    const { end } = this.thread
    if (end === undefined) this.#reports.wake()
    else {
      if (end.wasReady) this.drain()
      this.#port.close()
      this.#reports.post({ kind: 'ended', worker: this })
    }
  }

  #receive(message: Message): void {
    if ('ids' in message) this.#sender.collected(message)
    else if (!this.#isUnreadable) this.#onPart(message)
  }

  #onPart(message: PartMessage): void {
    // By index: this runs for each message, and destructuring a tuple is an iteration.
    const seq = message[0]
    const details = message[7]
    if (!this.#hasWorked) {
      // No handles or memory were left for its first task: then its start has failed, and others get its chunks.
      const cause = details?.fault && decodeError(details.fault)
      if (lacksResources(cause)) {
        this.thread.failStart(cause)
        return
      }
      this.#hasWorked = true
      this.#reports.post({ kind: 'working' })
    }
    const index = this.#assignments.findIndex((sent) => sent.seq === seq)
    const held = this.#assignments[index]
    if (held === undefined) return
    held.known.isLoaded = true
    if (message[3]) {
      this.#assignments.splice(index, 1)
      this.#sender.settle(held, details?.isUnread !== true)
      const [next] = this.#assignments
      if (next !== undefined) next.since = performance.now()
    }
    this.#reports.post({ kind: 'part', worker: this, held, message })
  }

  /** Items would be left without outcomes: they get them as those of a worker that has died. */
  #onUnreadable(): void {
    this.#isUnreadable = true
    this.thread.kill()
  }
}
