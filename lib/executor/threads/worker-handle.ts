/**
 * One worker as its pool sees it: its thread or process, and the chunks that it holds. Chunks go out with
 * `assign()`, and their outcomes are reported.
 */
import { decodeError } from '../../codec/error-codec/decode.js'
import type { EncodedError } from '../../codec/error-codec/types.js'
import { heapOf, isPublished, lastTaken, progressOf, type Progress } from '../../worker/cells.js'
import type { PartMessage, WorkerJob } from '../../worker/protocol.js'
import { ChunkSender, type Assignment } from './chunk-sender.js'
import type { ThreadLane } from './thread-lane.js'
import { lacksResources } from '../../threads/resources.js'
import type { InFlightChunk } from './in-flight-chunk.js'
import type { Mailbox } from '../../fifo.js'
import { TimeLimit } from './time-limit.js'
import { WorkerProcess } from '../processes/worker-process.js'
import type { Finalized, WorkerLink, WorkerMessage, WorkerOptions } from './worker-link.js'
import { WorkerThread } from './worker-thread.js'

/** A report of a worker. When it is ready for chunks, it only wakes its pool. */
export type Report =
  /** The first outcomes of a worker have come: it has started, and can work. */
  | { readonly kind: 'working' }
  /** Outcomes of a chunk have come. After the last ones of a chunk, the worker does not hold it any more. */
  | { readonly kind: 'part'; readonly worker: WorkerHandle; readonly held: Assignment; readonly message: PartMessage }
  /** A worker process has given back a chunk that it had not begun, as it was asked to. */
  | { readonly kind: 'givenBack'; readonly worker: WorkerHandle; readonly held: Assignment }
  /** An item has been running for too long, or its task has been loading for too long. */
  | { readonly kind: 'overdue'; readonly worker: WorkerHandle; readonly progress: Progress }
  /** The worker has ended, or could not be started. */
  | { readonly kind: 'ended'; readonly worker: WorkerHandle }

/** A worker that has this many chunks may wait for the next ones: they are posted together. */
const MIN_POSTED = 2

export class WorkerHandle {
  readonly link: WorkerLink
  readonly #reports: Mailbox<Report>
  readonly #cells: Int32Array
  readonly #sender: ChunkSender
  readonly #timeLimit: TimeLimit
  #assignments: Assignment[] = []
  readonly #watchesHeap: boolean
  #hasWorked = false
  #isUnreadable = false

  /** @param number From 1; unique among the living workers of a pool. */
  constructor(number: number, options: WorkerOptions, reports: Mailbox<Report>) {
    this.#reports = reports
    const wake = (): void => {
      this.#advance()
    }
    const Link = options.isolation === 'process' ? WorkerProcess : WorkerThread
    this.link = new Link(number, options, {
      wake,
      receive: (message) => {
        this.#receive(message)
      },
      unreadable: () => {
        this.#onUnreadable()
      },
    })
    const { port, cells, sharesMemory } = this.link
    this.#cells = cells
    this.#watchesHeap = options.watchHeap === true
    this.#sender = new ChunkSender(port, cells, sharesMemory)
    if (options.initializer !== undefined) this.#sender.loads(options.initializer.module)
    this.#timeLimit = new TimeLimit(options.startTimeout, wake)
  }

  get isReady(): boolean {
    return this.link.state === 'ready'
  }

  /** The chunks that it holds, in the order in which it runs them. */
  get assignments(): readonly Assignment[] {
    return this.#assignments
  }

  holds(lane: ThreadLane): boolean {
    for (const { inFlight } of this.#assignments) if (inFlight.lane === lane) return true
    return false
  }

  /** Whether it has given any outcomes. */
  get hasWorked(): boolean {
    return this.#hasWorked
  }

  /** Whether a message of it could not be read. Then it is being ended, and reports nothing else. */
  get isUnreadable(): boolean {
    return this.#isUnreadable
  }

  /** Whether it has loaded a module of tasks that this thread has evaluated again since. */
  get isOutdated(): boolean {
    return this.#sender.isOutdated
  }

  /** How many items it has been sent, without those that were withdrawn. */
  get itemsSent(): number {
    return this.#sender.itemsSent
  }

  /** Whether chunks that it has not begun can be taken back at once. */
  get mayGiveBack(): boolean {
    return this.link.sharesMemory
  }

  /** The used heap after its last chunk, in bytes, garbage included; 0 without `watchHeap`. */
  get heapUsed(): number {
    return heapOf(this.#cells)
  }

  /** Sends what is left of a chunk. That calls getters of its items, which may end the stream: then it is withdrawn or cancelled. */
  assign(inFlight: InFlightChunk): void {
    const { lane } = inFlight
    const { chunk, details } = inFlight.next()
    const mayWait = this.#posted >= MIN_POSTED
    // It calls getters of items, and the option `transfer`.
    const assignment = lane.client.context.runInAsyncScope(() => this.#sender.send(inFlight, chunk, details, mayWait))
    if (!lane.isOpen) {
      if (this.#sender.withdraw(assignment)) return
      this.#sender.cancel(assignment)
    }
    this.#assignments.push(assignment)
    if (lane.job.timeout !== undefined || !assignment.known.isLoaded) this.#timeLimit.watch(this.#assignments)
  }

  /** How many chunks the worker can go on with by itself. */
  get #posted(): number {
    return this.#assignments.length - this.#sender.unposted
  }

  /** Takes back a chunk, unless the worker has begun it. A process gives it back later, if at all. @returns Whether it did. */
  withdraw(assignment: Assignment): boolean {
    if (!this.#sender.withdraw(assignment)) return false
    this.#assignments.splice(this.#assignments.indexOf(assignment), 1)
    return true
  }

  cancel(assignment: Assignment, reason?: EncodedError): void {
    this.#sender.cancel(assignment, reason)
  }

  /** It is ending, or has ended. From now on it holds nothing, and gives no outcomes. @returns What it held, for others to run. */
  lost(): readonly Assignment[] {
    const lost = this.#assignments
    this.#assignments = []
    this.#timeLimit.stop()
    return lost
  }

  forget(job: WorkerJob): void {
    this.#sender.forget(job)
  }

  /** Whether the worker has begun a chunk; it may also have ended it. */
  hasTaken({ slot, seq }: Assignment): boolean {
    if (this.link.sharesMemory) return !isPublished(this.#cells, slot, seq)
    this.link.refresh()
    return seq <= lastTaken(this.#cells)
  }

  progress(): Progress {
    this.link.refresh()
    return progressOf(this.#cells)
  }

  /**
   * Runs the finalizer, if there is one and the worker has started. Then the worker ends by itself, so that all that it has printed
   * arrives. If it still runs a cancelled chunk, it is ended at once. Never rejects.
   */
  async finish(): Promise<Finalized | undefined> {
    const isBusy = this.lost().length > 0
    const finalized = await this.link.finalize()
    if (this.isReady && !isBusy) await this.#leave()
    await this.link.terminate()
    return finalized
  }

  /**
   * Lets the worker end by itself as the program ends, without its finalizer. What it has printed arrives, and its `exit` handlers run. A
   * worker that has run no code of the user is ended at once, and one that a synchronous item blocks soon. Never rejects.
   */
  async leave(): Promise<void> {
    this.lost()
    if (this.isReady || this.link.isInitialized) await this.#leave()
    await this.link.terminate()
  }

  async #leave(): Promise<void> {
    this.#sender.dismiss()
    await this.link.untilExited(() => {
      const { seq, isAwaiting } = this.progress()
      return seq !== 0 && !isAwaiting
    })
  }

  /** It is ready or has ended, or a time limit is due. */
  #advance(): void {
    const { end } = this.link
    if (end !== undefined) {
      if (end.wasReady) this.link.drain()
      this.link.close()
      this.#reports.post({ kind: 'ended', worker: this })
    } else if (!this.#timeLimit.isDue) this.#reports.wake()
    else if (this.link.sharesMemory) this.#checkTime()
    // If this thread was blocked, outcomes wait in the pipe. They are read before immediates run.
    else setImmediate(this.#checkTimeLater)
  }

  readonly #checkTimeLater = (): void => {
    if (this.#timeLimit.isDue && this.link.end === undefined) this.#checkTime()
  }

  #checkTime(): void {
    // First the messages that have come: the items in them do not run any more.
    this.link.drain()
    const progress = this.progress()
    if (this.#isUnreadable || !this.#timeLimit.check(this.#assignments, progress)) return
    this.#reports.post({ kind: 'overdue', worker: this, progress })
  }

  #receive(message: WorkerMessage): void {
    if (isPart(message)) {
      if (!this.#isUnreadable) this.#onPart(message)
    } else if (message.type === 'collected') this.#sender.collected(message)
    else this.#onGivenBack(message.givenBack)
  }

  #onGivenBack(seq: number): void {
    const held = this.#assignments.find((sent) => sent.seq === seq)
    if (held === undefined) return
    this.#assignments.splice(this.#assignments.indexOf(held), 1)
    this.#sender.givenBack(held)
    this.#reports.post({ kind: 'givenBack', worker: this, held })
  }

  #onPart(message: PartMessage): void {
    // By index, because destructuring a tuple is an iteration, and this runs for each message.
    const seq = message[0]
    const details = message[7]
    if (!this.#hasWorked) {
      // If its first task found no handles or memory, its start has failed, and others get its chunks.
      const cause = details?.fault && decodeError(details.fault)
      if (lacksResources(cause)) {
        this.link.failStart(cause)
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
      if (this.#watchesHeap) this.link.refresh()
      this.#sender.settle(held, details?.isUnread !== true)
      const [next] = this.#assignments
      if (next !== undefined) next.since = performance.now()
      if (this.#posted < MIN_POSTED) this.#sender.flush()
    }
    this.#reports.post({ kind: 'part', worker: this, held, message })
  }

  /** Its items would have no outcomes. So it is ended, and they get those of a worker that has died. */
  #onUnreadable(): void {
    this.#isUnreadable = true
    this.link.kill()
  }
}

function isPart(message: WorkerMessage): message is PartMessage {
  return Array.isArray(message)
}
