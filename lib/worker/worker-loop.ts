/**
 * Runs the chunks that a pool sends, one after the other. It knows its pool by a port and by cells, and not whether it is on a thread of
 * the program or in a process.
 */
import { createRequire } from 'node:module'
import { areRows, holdsShared, needsTasks, tasksOf, type Packed } from '../codec/codec.js'
import { encodeError } from '../codec/error-codec/encode.js'
import { areDecoded, type RowData } from '../codec/rows/row-data.js'
import { findKnown, knowsShared, onCollected } from '../shared/registry.js'
import { beginChunk, beginLoading, endChunk, endLoading, noteHeap, claim, markCancelled, noteTaken } from './cells.js'
import { RunningChunk, type Host } from './chunk.js'
import { endThread } from './ending.js'
import { asTask } from './guard.js'
import { forItems, loadTask, type TaskFunction } from './load.js'
import {
  LISTENING,
  type CancelMessage,
  type ChunkMessage,
  type FromWorker,
  type JobMessage,
  type ToWorker,
  type WorkerJob,
} from './protocol.js'
import { arrived, loadShared } from './sharing.js'
import { Poster } from './poster.js'
import { runChunk } from './run.js'

/** The way to the pool. */
export interface PoolPort {
  readonly post: (message: FromWorker, transfer?: Packed['transfer']) => void
  /** The next message that has come and was not given to `receive()` of the loop. */
  take(): ToWorker | undefined
}

export interface WorkerLoopOptions {
  readonly worker: number
  readonly cells: Int32Array
  /** Whether to note, after each chunk, how much of the heap is in use. */
  readonly watchHeap: boolean
  /** In a process: tells the pool what the cells say. The pool of a thread reads them. */
  readonly track?: () => void
}

interface KnownJob extends WorkerJob {
  fn?: TaskFunction
  initial?: unknown
  /** Packed, until the task is loaded. */
  readonly sentInitial: JobMessage['initial']
}

export class WorkerLoop {
  readonly #host: Host
  readonly #port: PoolPort
  readonly #jobs = new Map<number, KnownJob>()
  readonly #queue: { readonly message: ChunkMessage; readonly job: KnownJob }[] = []
  #current: RunningChunk | undefined
  /** The number of the last chunk that has ended here, or was withdrawn. */
  #ended = 0
  /** Objects that were collected, of which the pool was not told. */
  #collected: string[] = []

  constructor(port: PoolPort, { worker, cells, watchHeap, track }: WorkerLoopOptions) {
    this.#port = port
    const usedHeap = watchHeap ? heapMeter() : undefined
    const withHeap: Host['post'] = (part, transfer) => {
      const [, , , last] = part
      if (last) {
        noteHeap(cells, usedHeap?.() ?? 0)
        track?.()
      }
      port.post(part, transfer)
    }
    this.#host = {
      worker,
      cells,
      track,
      post: usedHeap === undefined ? port.post : withHeap,
      receive: () => {
        for (let message = port.take(); message !== undefined; message = port.take()) this.receive(message)
      },
    }
    onCollected((id) => {
      if (this.#collected.push(id) === 1) queueMicrotask(this.#reportCollected)
    })
  }

  /** It takes messages from now on. */
  listen(): void {
    this.#port.post(LISTENING)
  }

  receive(message: ToWorker): void {
    if (isChunk(message)) this.#add(message)
    else if (message.type === 'chunks') for (const chunk of message.chunks) this.#add(chunk)
    else if (message.type === 'leave') void endThread()
    else if (message.type === 'job') this.#jobs.set(message.id, { ...message.job, sentInitial: message.initial })
    else if (message.type === 'end') this.#jobs.delete(message.id)
    else if (message.type === 'giveBack') this.#giveBack(message.seq)
    else this.#cancel(message)
    if (this.#current === undefined) this.#runQueue()
  }

  #cancel({ seq, slot, reason }: CancelMessage): void {
    // The pool of a thread has done so.
    if (this.#host.track !== undefined) markCancelled(this.#host.cells, slot, seq)
    if (this.#current?.seq === seq) this.#current.cancel(reason)
  }

  #giveBack(seq: number): void {
    const at = this.#queue.findIndex(({ message }) => message[0] === seq)
    if (at === -1) return
    this.#queue.splice(at, 1)
    this.#port.post({ type: 'givenBack', givenBack: seq })
  }

  #add(message: ChunkMessage): void {
    const [, , id] = message
    const job = this.#jobs.get(id)
    // Else its stream was ended by a getter of one of its items, while that was sent.
    if (job !== undefined) this.#queue.push({ message, job })
  }

  /** Runs chunks until there is none, or one has to be awaited. */
  #runQueue(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { message, job } = next
      const [seq, slot] = message
      // Withdrawn: another worker runs this chunk. A process cannot be asked in time.
      if (this.#host.track === undefined && !claim(this.#host.cells, slot, seq)) {
        this.#ended = seq
        continue
      }
      this.#begin(seq)
      const chunk = new RunningChunk(message, job, this.#host)
      this.#current = chunk
      const awaited = runOrLoad(job, chunk, new Poster(chunk))
      if (awaited !== undefined) {
        void awaited.then(() => {
          this.#end(seq)
          this.#runQueue()
        })
        return
      }
      this.#end(seq)
    }
  }

  #begin(seq: number): void {
    const { cells, track } = this.#host
    beginChunk(cells, seq)
    // Told with the first item, or when the task is loaded. A process that dies before has not come further than to receive the chunk.
    if (track !== undefined) noteTaken(cells, seq)
  }

  #end(seq: number): void {
    this.#current = undefined
    this.#ended = seq
    endChunk(this.#host.cells)
    this.#host.track?.()
    if (this.#collected.length > 0) this.#reportCollected()
  }

  /** Only while no chunk runs: that may not have been unpacked yet. */
  readonly #reportCollected = (): void => {
    if (this.#current !== undefined) return
    // Some may have come again.
    const ids = this.#collected.filter((id) => findKnown(id) === undefined)
    this.#collected = []
    if (ids.length > 0) {
      this.#port.post({ type: 'collected', seq: this.#ended, ids })
    }
  }
}

/** Reads the used heap of this thread, in bytes. Its module is loaded only here, as that takes half a millisecond. */
function heapMeter(): () => number {
  const { getHeapStatistics } = createRequire(import.meta.url)('node:v8') as typeof import('node:v8')
  return () => getHeapStatistics().used_heap_size
}

function isChunk(message: ToWorker): message is ChunkMessage {
  return Array.isArray(message)
}

function runOrLoad(job: KnownJob, chunk: RunningChunk, poster: Poster): Promise<void> | undefined {
  const { fn } = job
  if (fn === undefined || (holdsShared(chunk.data) && !knowsShared()) || needsTasks(chunk.data))
    return loadAndRun(job, chunk, poster)
  if (areRows(chunk.data) && !areDecoded(chunk.data)) return decodeAndRun(fn, chunk, chunk.data, poster)
  return asTask(() => runChunk(fn, chunk, poster))
}

/** Rows are read here, from their file. If that fails, each of them does. */
async function decodeAndRun(fn: TaskFunction, chunk: RunningChunk, data: RowData, poster: Poster): Promise<void> {
  poster.begin()
  const { decodeSegments } = await import('../parquet/reading.js')
  await decodeSegments(data.segments)
  await asTask(() => runChunk(fn, chunk, poster))
}

async function loadAndRun(job: KnownJob, chunk: RunningChunk, poster: Poster): Promise<void> {
  const { cells, track } = chunk.host
  beginLoading(cells)
  track?.()
  try {
    if (job.fn === undefined) {
      const fn = forItems(job, await loadTask(job.name))
      if (job.sentInitial !== undefined) job.initial = await arrived(job.sentInitial)
      job.fn = fn
    }
    if (holdsShared(chunk.data)) await loadShared()
    for (const name of tasksOf(chunk.data)) await loadTask(name)
  } catch (error) {
    poster.post(true, encodeError(error))
    return
  } finally {
    endLoading(cells)
    track?.()
  }
  await runOrLoad(job, chunk, poster)
}
