/**
 * Runs one chunk inside a worker: item by item, or `concurrency` at a time, and posts the outcomes in parts.
 *
 * A part is posted when the chunk ends, and earlier when outcomes have waited for a while: after each item, or, while an
 * item is awaited, by a timer. Only a synchronous item delays, while it runs, what was not posted before it.
 */
import pLimit from 'p-limit'
import { pack, sift, unpack } from '../codec/codec.js'
import { sealError, type Envelope } from '../codec/envelope.js'
import type { TaskContext } from '../task.js'
import { isCancelled } from './cells.js'
import type { TaskFunction } from './load.js'
import type { ChunkMessage, PartMessage } from './protocol.js'

/** How long an outcome may wait for others to be posted with it, in milliseconds. A post costs a few microseconds. */
const PATIENCE = 4

/** What a run needs of its worker. */
export interface Host {
  readonly worker: number
  readonly cells: Int32Array
  post(part: PartMessage, transfer: Packed['transfer']): void
}
type Packed = ReturnType<typeof pack>

export class ChunkRun {
  readonly #message: ChunkMessage
  readonly #host: Host
  readonly #taskId: string
  readonly #refused: ReadonlyMap<number, Envelope>
  readonly #started = performance.now()
  #controller: AbortController | undefined
  #outbox = new Outbox(0)
  #sent: number
  #timer: NodeJS.Timeout | undefined

  constructor(message: ChunkMessage, taskId: string, host: Host) {
    this.#message = message
    this.#taskId = taskId
    this.#host = host
    this.#refused = new Map(message.refused)
    this.#sent = message.eager ? -Infinity : this.#started
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

  /** Runs all items, or those before a cancel, and posts the last part. Never rejects for anything a task does. */
  async run(fn: TaskFunction): Promise<void> {
    const items = unpack(this.#message.data)
    if (this.#message.concurrency === 1) await this.#inTurn(fn, items)
    else if (this.#message.ordered) await this.#atOnceInOrder(fn, items)
    else await this.#atOnce(fn, items)
    this.#post(true)
  }

  /** Fails every item: there is no function to run. */
  fail(reason: unknown): void {
    this.#post(true, sealError(reason))
  }

  get #cancelled(): boolean {
    return isCancelled(this.#host.cells, this.#message.slot, this.#message.seq)
  }

  async #inTurn(fn: TaskFunction, items: readonly unknown[]): Promise<void> {
    for (let place = 0; place < items.length && !this.#cancelled; place++) {
      const refused = this.#refused.get(place)
      if (refused !== undefined) {
        this.#outbox.fail(refused)
        continue
      }
      try {
        const result = fn(items[place], new ItemContext(this, this.#message.first + place))
        const value = isThenable(result) ? await this.#waitFor(result) : result
        // Only now: while the result was awaited, a timer may have posted the outbox and made a new one.
        this.#outbox.values.push(value)
      } catch (error) {
        this.#outbox.fail(this.#seal(error, place))
      }
      if (place + 1 < items.length && this.#isDue()) this.#post(false)
    }
  }

  /** While an item is awaited, the outcomes before it are posted by a timer. */
  #waitFor(result: PromiseLike<unknown>): PromiseLike<unknown> {
    if (this.#outbox.values.length > 0) this.#postSoon()
    return result
  }

  async #atOnce(fn: TaskFunction, items: readonly unknown[]): Promise<void> {
    const places: number[] = []
    this.#outbox = new Outbox(0, places)
    await this.#limited(fn, items, (place, result, error) => {
      this.#outbox.places?.push(place)
      if (error === undefined) this.#outbox.values.push(result)
      else this.#outbox.fail(error)
      this.#postSoon()
    })
  }

  async #atOnceInOrder(fn: TaskFunction, items: readonly unknown[]): Promise<void> {
    const done = new Map<number, { result: unknown; error: Envelope | undefined }>()
    let next = 0
    await this.#limited(fn, items, (place, result, error) => {
      done.set(place, { result, error })
      for (let head = done.get(next); head !== undefined; head = done.get(++next)) {
        done.delete(next)
        if (head.error === undefined) this.#outbox.values.push(head.result)
        else this.#outbox.fail(head.error)
      }
      if (this.#outbox.values.length > 0) this.#postSoon()
    })
  }

  async #limited(
    fn: TaskFunction,
    items: readonly unknown[],
    settled: (place: number, result: unknown, error?: Envelope) => void,
  ): Promise<void> {
    const limit = pLimit(this.#message.concurrency)
    const one = async (item: unknown, place: number): Promise<void> => {
      if (this.#cancelled) return
      const refused = this.#refused.get(place)
      if (refused !== undefined) {
        settled(place, undefined, refused)
        return
      }
      try {
        settled(place, await fn(item, new ItemContext(this, this.#message.first + place)))
      } catch (error) {
        settled(place, undefined, this.#seal(error, place))
      }
    }
    await Promise.all(items.map((item, place) => limit(one, item, place)))
  }

  #seal(error: unknown, place: number): Envelope {
    const index = this.#message.first + place
    return sealError(error, `task '${this.#taskId}' (item ${index}, worker ${this.#host.worker})`)
  }

  /** Whether the outbox must be posted now. */
  #isDue(): boolean {
    const { errors } = this.#outbox
    return (this.#message.stopOnError && errors !== undefined) || performance.now() - this.#sent >= PATIENCE
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
    const { from, places, values, errors } = this.#outbox
    if (values.length === 0 && !last) return
    this.#outbox = new Outbox(from + values.length, places && [])
    this.#sent = performance.now()
    const time = this.#sent - this.#started
    const part = { type: 'part', seq: this.#message.seq, from, places, errors, fault, last, time } as const
    try {
      const { data, transfer } = pack(values)
      this.#host.post({ ...part, data }, transfer)
    } catch {
      const indexOf = (position: number): number => this.#message.first + (places?.[position] ?? from + position)
      const { values: data, refused } = sift('result', values, indexOf)
      this.#host.post({ ...part, data, errors: [...(errors ?? []), ...refused] }, [])
    }
  }
}

/** Outcomes that wait to be posted. */
class Outbox {
  readonly from: number
  readonly places: number[] | undefined
  readonly values: unknown[] = []
  errors: [position: number, error: Envelope][] | undefined

  constructor(from: number, places?: number[]) {
    this.from = from
    this.places = places
  }

  fail(error: Envelope): void {
    ;(this.errors ??= []).push([this.values.length, error])
    this.values.push(undefined)
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
