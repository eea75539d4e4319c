/**
 * The threads that hold the two ends of a pipe. When the last thread has released one end, both queues of the pipe are
 * closed.
 *
 * Each end has the cells of the threads that hold it. It also has a MAKER, the thread that made it, until another
 * thread gets the end. A cell is a thread plus one, or 0. Each cell is taken and freed by one step. The cell of the new
 * holder is taken before that of the maker is freed.
 */
import { threadId } from 'node:worker_threads'
import { SyncError } from '../errors.js'
import { createMemory, HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { Queue } from './queue.js'

const KIND = 36
/** The most threads that can hold an end. */
const MAX_HOLDERS = 1024
const CELLS = 1 + MAX_HOLDERS
/** The end (plus one) that was gone first; 0 while none is. It comes after the cells of both ends. */
const LOST = HEADER + 2 * CELLS

export type Side = 0 | 1

/** While a pipe is open, each thread that knows it keeps it: it may be the only thread that learns when others end. */
const open = new Set<PipeState>()
/**
 * At this size of `open`, pipes that other threads have closed are removed. It is twice the size after the last
 * removal.
 */
const MIN_OPEN_LIMIT = 64
let openLimit = MIN_OPEN_LIMIT

export class PipeState extends Shared {
  /** The items that each side sends. */
  readonly #queues: readonly [Queue<unknown>, Queue<unknown>]

  constructor(memory?: Memory, parts: readonly Shared[] = [new Queue(), new Queue()]) {
    super(memory ?? createMemory(KIND, 2 * CELLS + 1), parts)
    const [first, second] = this.parts as readonly [Queue<unknown>, Queue<unknown>]
    this.#queues = [first, second]
    if (memory === undefined) for (const side of [0, 1] as const) this.memory[makerOf(side)] = threadId + 1
    if (open.size >= openLimit) {
      for (const ends of open) if (ends.#isGone) open.delete(ends)
      openLimit = Math.max(MIN_OPEN_LIMIT, 2 * open.size)
    }
    if (!this.#isGone) open.add(this)
  }

  /** The items that the side sends. */
  queue(side: Side): Queue<unknown> {
    return this.#queues[side]
  }

  /** Notes that a thread holds the end. */
  hold(side: Side, thread: number): void {
    this.noteKnownTo(thread)
    const own = thread + 1
    const first = makerOf(side) + 1
    for (let cell = first; cell < first + MAX_HOLDERS; cell++) {
      const holder = Atomics.compareExchange(this.memory, cell, 0, own)
      if (holder !== 0 && holder !== own) continue
      Atomics.store(this.memory, makerOf(side), 0)
      return
    }
    throw new SyncError(`Cannot hold the end of a pipe as ${MAX_HOLDERS} threads hold it already`, 'ERR_LINE_FULL')
  }

  /** Notes that threads do not hold the end any more. */
  release(side: Side, threads: ReadonlySet<number>): void {
    let isHeld = false
    for (let cell = makerOf(side); cell < makerOf(side) + CELLS; cell++) {
      const holder = Atomics.load(this.memory, cell)
      if (holder === 0) continue
      if (threads.has(holder - 1)) Atomics.compareExchange(this.memory, cell, holder, 0)
      else isHeld = true
    }
    if (!isHeld) {
      // The order matters: a thread that finds a queue closed must also find the reason.
      Atomics.compareExchange(this.memory, LOST, 0, side + 1)
      for (const queue of this.#queues) queue.close()
    }
    if (this.#isGone) open.delete(this)
  }

  /** Whether this end was gone before the other one. */
  wasLost(side: Side): boolean {
    return Atomics.load(this.memory, LOST) === side + 1
  }

  /** @internal */
  override get lockables(): readonly Shared[] {
    return []
  }

  /** @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    this.release(0, threads)
    this.release(1, threads)
  }

  get #isGone(): boolean {
    return this.#queues.every((queue) => queue.closed)
  }
}

function makerOf(side: Side): number {
  return HEADER + side * CELLS
}

defineShared(KIND, (memory, parts) => new PipeState(memory, parts))
