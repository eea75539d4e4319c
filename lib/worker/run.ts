/**
 * Runs one chunk inside a worker: item by item, or `concurrency` at a time, and posts the outcomes in parts.
 *
 * A part is posted when the chunk ends, and earlier when outcomes have waited for a while: after each item, or, while an
 * item is awaited, by a timer. Only a synchronous item delays, while it runs, what was not posted before it.
 */
import pLimit from 'p-limit'
import { openCursor, pack, sift, unpack, type Cursor, type Data, type Packed } from '../codec/codec.js'
import { sealError, type Envelope } from '../codec/envelope.js'
import type { TaskContext } from '../task.js'
import { beginItem, beginTimedItem, clock, countBegun, isCancelled, markAwake, markOldest, type Slot } from './cells.js'
import { elementsOf, isThenable } from './expand.js'
import type { TaskFunction } from './load.js'
import { Outbox } from './outbox.js'
import type { ChunkMessage, PartDetails, PartMessage, WorkerJob } from './protocol.js'

/** How long an outcome may wait for others to be posted with it, in milliseconds. A post costs a few microseconds. */
const PATIENCE = 4
/** While items take less than this together, in milliseconds, the clock is read after more and more of them, … */
const SHORT = 0.25
/** … at most so many: a slow one may come at any time, and what was done before it should not wait for the others. */
const MAX_STRIDE = 8

/** What a run needs of its worker. */
export interface Host {
  readonly worker: number
  readonly cells: Int32Array
  post(part: PartMessage, transfer: Packed['transfer']): void
}

export class ChunkRun {
  readonly #job: WorkerJob
  readonly #host: Host
  readonly #seq: number
  readonly #slot: Slot
  readonly #first: number
  readonly #data: Data
  /** Items that are not to be run: the errors that are their outcomes, or undefined where that has been given. */
  readonly #settled: ReadonlyMap<number, Envelope | undefined> | undefined
  readonly #alone: boolean
  /** When it began to run; the loading of the task's module does not count. */
  #started = performance.now()
  /** Where items run in turn: the place of the next one, and the last one that has begun. */
  #place: number
  #item: unknown
  #controller: AbortController | undefined
  #outbox: Outbox
  #sent: number
  /** How many items until the clock is read, how many from one reading to the next, and when it was read last. */
  #unclocked = 1
  #stride = 1
  #clocked = this.#started
  #timer: NodeJS.Timeout | undefined

  constructor([seq, slot, , first, eager, data, details]: ChunkMessage, job: WorkerJob, host: Host) {
    this.#job = job
    this.#host = host
    this.#seq = seq
    this.#slot = slot
    this.#first = first
    this.#data = data
    this.#settled = details?.settled && new Map(details.settled)
    this.#alone = details?.alone === true
    this.#place = details?.start ?? 0
    this.#outbox = new Outbox(this.#place, undefined, job.kind !== 'map')
    this.#sent = eager ? -Infinity : this.#started
  }

  /** Number of the worker, as tasks see it. */
  get worker(): number {
    return this.#host.worker
  }

  /** Made when a task asks for it. The mark in the cells aborts it even while a synchronous task polls `aborted`. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      const { signal } = this.#controller
      const aborted = (): boolean => Reflect.get<AbortSignal, 'aborted'>(AbortSignal.prototype, 'aborted', signal)
      Object.defineProperty(signal, 'aborted', {
        get: () => {
          if (!aborted() && this.#cancelled) this.cancel()
          return aborted()
        },
      })
      if (this.#cancelled) this.cancel()
    }
    return this.#controller.signal
  }

  /** Fires the signal of the items that run. */
  cancel(): void {
    this.#controller?.abort(new DOMException('The stream ended before this item was done', 'AbortError'))
  }

  /**
   * Runs all items, or those before a cancel, and posts the last part: at once if no item had to be awaited, else by the time
   * that the promise settles. Never throws or rejects for anything a task does.
   */
  run(fn: TaskFunction): Promise<void> | undefined {
    this.#started = performance.now()
    const running = this.#runAll(fn)
    if (running === undefined) this.#post(true)
    return running?.then(() => {
      this.#post(true)
    })
  }

  #runAll(fn: TaskFunction): Promise<void> | undefined {
    const { kind, concurrency, ordered } = this.#job
    if (kind === 'reduce') return this.#fold(fn, openCursor(this.#data))
    if (concurrency > 1)
      return ordered ? this.#atOnceInOrder(fn, unpack(this.#data)) : this.#atOnce(fn, unpack(this.#data))
    const cursor = openCursor(this.#data)
    for (let place = 0; place < this.#place; place++) cursor.next()
    const awaited = this.#inTurn(fn, cursor)
    return awaited && this.#inTurnAwaiting(fn, cursor, awaited)
  }

  /** Fails every item: there is no function to run. */
  fail(reason: unknown): void {
    this.#post(true, sealError(reason))
  }

  get #cancelled(): boolean {
    return isCancelled(this.#host.cells, this.#slot, this.#seq)
  }

  /** Runs items until there is something to await: what the next outcome is made of. */
  #inTurn(fn: TaskFunction, { length, next }: Cursor): PromiseLike<unknown> | undefined {
    const { kind, timeout } = this.#job
    const { cells } = this.#host
    const [slot, seq, first, settled] = [this.#slot, this.#seq, this.#first, this.#settled]
    const begin = timeout === undefined ? beginItem : beginTimedItem
    while (this.#place < length && !isCancelled(cells, slot, seq)) {
      const place = this.#place++
      const item = next()
      const error = settled?.get(place)
      if (error !== undefined) {
        this.#outbox.fail(error)
        continue
      }
      begin(cells, place)
      try {
        this.#item = item
        let result = fn(item, new ItemContext(this, first + place))
        if (kind === 'flatMap' && !isThenable(result)) result = elementsOf(result)
        if (isThenable(result)) return result
        this.#outbox.take(kind, item, result)
      } catch (error) {
        this.#failed(error)
      }
      this.#postIfDue(length)
    }
    return undefined
  }

  async #inTurnAwaiting(fn: TaskFunction, cursor: Cursor, first: PromiseLike<unknown>): Promise<void> {
    const { kind } = this.#job
    for (
      let awaited: PromiseLike<unknown> | undefined = first;
      awaited !== undefined;
      awaited = this.#inTurn(fn, cursor)
    ) {
      try {
        if (this.#outbox.count > 0) this.#postSoon()
        let result = await awaited
        if (kind === 'flatMap') result = await elementsOf(result)
        // Only now: while the result was awaited, a timer may have posted the outbox and made a new one.
        this.#outbox.take(kind, this.#item, result)
      } catch (error) {
        this.#failed(error)
      }
      this.#postIfDue(cursor.length)
    }
  }

  /** The item that ran has failed. */
  #failed(error: unknown): void {
    this.#outbox.fail(this.#seal(error, this.#place - 1))
    this.#unclocked = 1
  }

  #postIfDue(length: number): void {
    if (--this.#unclocked === 0 && this.#isDueByClock() && this.#place < length) this.#post(false)
  }

  /** Folds all items into one result, which goes with the last item that did not fail. */
  async #fold(fn: TaskFunction, { length, next }: Cursor): Promise<void> {
    const { stopOnError, initial, timeout } = this.#job
    const begin = timeout === undefined ? beginItem : beginTimedItem
    let accumulator: unknown = structuredClone(initial)
    let last: number | undefined
    for (let place = 0; place < length && !this.#cancelled; place++) {
      const item = next()
      let error = this.#settled?.get(place)
      try {
        if (error === undefined) {
          begin(this.#host.cells, place)
          const result = fn(accumulator, item, new ItemContext(this, this.#first + place))
          accumulator = isThenable(result) ? await result : result
          last = place
          continue
        }
      } catch (thrown) {
        error = this.#seal(thrown, place)
      }
      this.#outbox.skipTo(place)
      this.#outbox.fail(error)
      if (stopOnError) break
    }
    // After an error that ends the stream nobody asks what became of the others.
    this.#outbox.skipTo(length)
    if (last !== undefined) this.#outbox.insert(last, accumulator)
  }

  async #atOnce(fn: TaskFunction, items: readonly unknown[]): Promise<void> {
    const places: number[] = []
    this.#outbox = new Outbox(0, places, this.#job.kind !== 'map')
    await this.#limited(fn, items, (place, result, error) => {
      this.#outbox.places?.push(place)
      if (error === undefined) this.#outbox.take(this.#job.kind, items[place], result)
      else this.#outbox.fail(error)
      this.#postSoon()
    })
  }

  async #atOnceInOrder(fn: TaskFunction, items: readonly unknown[]): Promise<void> {
    const done = new Map<number, { result: unknown; error: Envelope | undefined }>()
    let next = this.#place
    await this.#limited(fn, items, (place, result, error) => {
      done.set(place, { result, error })
      for (let head = done.get(next); head !== undefined; head = done.get(++next)) {
        done.delete(next)
        if (head.error === undefined) this.#outbox.take(this.#job.kind, items[next], head.result)
        else this.#outbox.fail(head.error)
      }
      if (this.#outbox.count > 0) this.#postSoon()
    })
  }

  async #limited(
    fn: TaskFunction,
    items: readonly unknown[],
    settled: (place: number, result: unknown, error?: Envelope) => void,
  ): Promise<void> {
    const { kind, concurrency, timeout } = this.#job
    const { cells } = this.#host
    const limit = pLimit(this.#alone ? 1 : concurrency)
    const watch = timeout === undefined ? undefined : new Watch(cells)
    const one = async (item: unknown, place: number): Promise<void> => {
      if (this.#cancelled || place < this.#place) return
      countBegun(cells, place + 1)
      if (this.#settled?.has(place) === true) {
        const error = this.#settled.get(place)
        if (error !== undefined) settled(place, undefined, error)
        return
      }
      watch?.begin(place)
      try {
        const result = await fn(item, new ItemContext(this, this.#first + place))
        settled(place, kind === 'flatMap' ? await elementsOf(result) : result)
      } catch (error) {
        settled(place, undefined, this.#seal(error, place))
      } finally {
        watch?.end(place)
      }
    }
    await Promise.all(items.map((item, place) => limit(one, item, place)))
    watch?.close()
  }

  #seal(error: unknown, place: number): Envelope {
    const index = this.#first + place
    return sealError(error, `task '${this.#job.name.id}' (item ${index}, worker ${this.#host.worker})`)
  }

  /** As `#isDue()`, for short items: the clock is read after more and more of them, since that costs more than many an item. */
  #isDueByClock(): boolean {
    const now = performance.now()
    this.#stride = !this.#alone && now - this.#clocked < SHORT ? Math.min(2 * this.#stride, MAX_STRIDE) : 1
    this.#unclocked = this.#stride
    this.#clocked = now
    return now - this.#sent >= PATIENCE || this.#mustPost
  }

  /** Whether the outbox must be posted now. */
  #isDue(): boolean {
    return this.#mustPost || performance.now() - this.#sent >= PATIENCE
  }

  /** Whether there is an error that ends the stream, or each outcome is to be posted at once. */
  get #mustPost(): boolean {
    return this.#alone || (this.#job.stopOnError && this.#outbox.errors !== undefined)
  }

  #postSoon(): void {
    if (this.#isDue()) this.#post(false)
    else
      this.#timer ??= setTimeout(() => {
        this.#post(false)
      }, PATIENCE)
  }

  #post(last: boolean, fault?: Envelope): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { from, places, count, counts, results, errors } = this.#outbox
    if (count === 0 && !last) return
    this.#outbox = this.#outbox.next()
    this.#sent = performance.now()
    const time = this.#sent - this.#started
    const isSimple = (places ?? counts ?? errors ?? fault) === undefined
    const details = isSimple ? undefined : { places, counts: counts && Uint32Array.from(counts), errors, fault }
    try {
      const { data, transfer, bytes } = pack(results)
      this.#host.post([this.#seq, from, count, last, time, bytes, data, details], transfer)
    } catch {
      const { data, ...sifted } = this.#sifted(from, details ?? {}, results)
      // An accumulator that cannot be sent is not the failure of one item: what the others made of it is lost with it.
      const [lost] = this.#job.kind === 'reduce' ? sifted.errors.slice(errors?.length ?? 0) : []
      if (lost !== undefined) {
        this.#host.post([this.#seq, from, 0, true, time, 0, [], { fault: lost[1] }], [])
        return
      }
      this.#host.post([this.#seq, from, count, last, time, 0, data, { ...details, ...sifted }], [])
    }
  }

  /** Results that can be cloned, and errors for the items whose results cannot. */
  #sifted(
    from: number,
    { places, counts, errors }: PartDetails,
    results: readonly unknown[],
  ): { data: Data; counts: PartDetails['counts']; errors: NonNullable<PartDetails['errors']> } {
    const owners = counts && [...counts].flatMap((count, position) => new Array<number>(count).fill(position))
    const ownerOf = (i: number): number => owners?.[i] ?? i
    const indexOf = (i: number): number => this.#first + (places?.[ownerOf(i)] ?? from + ownerOf(i))
    const { values, refused } = sift('result', results, indexOf)
    const failed = new Map(refused.map(([i, error]) => [ownerOf(i), error]))
    const all = [...(errors ?? []), ...failed]
    if (counts === undefined) return { data: values, counts, errors: all }
    return {
      data: values.filter((_, i) => !failed.has(ownerOf(i))),
      counts: counts.map((count, position) => (failed.has(position) ? 0 : count)),
      errors: all,
    }
  }
}

/** How often a worker that runs timed items at once says that its event loop has its turn, in milliseconds. */
const PULSE = 10

/** Tells the pool which of several timed items began first, and that the event loop has its turn: that none of them loops. */
class Watch {
  readonly #cells: Int32Array
  readonly #pulse: NodeJS.Timeout
  /** The items that run, in the order in which they began, with the times of that. */
  readonly #running = new Map<number, number>()

  constructor(cells: Int32Array) {
    this.#cells = cells
    markAwake(cells)
    this.#pulse = setInterval(() => {
      markAwake(cells)
    }, PULSE)
  }

  begin(place: number): void {
    this.#running.set(place, clock())
    if (this.#running.size === 1) this.#mark()
  }

  end(place: number): void {
    this.#running.delete(place)
    this.#mark()
  }

  close(): void {
    clearInterval(this.#pulse)
  }

  #mark(): void {
    for (const [place, since] of this.#running) {
      markOldest(this.#cells, place, since)
      return
    }
  }
}

class ItemContext implements TaskContext {
  readonly #run: ChunkRun
  readonly index: number

  constructor(run: ChunkRun, index: number) {
    this.#run = run
    this.index = index
  }

  get signal(): AbortSignal {
    return this.#run.signal
  }

  get worker(): number {
    return this.#run.worker
  }
}
