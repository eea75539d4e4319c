/**
 * The program of a worker thread. It takes chunks from its data port, and control calls, if there are any, through
 * `threads`.
 */
import { createRequire } from 'node:module'
import { parentPort, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { holdsShared, needsTasks, tasksOf } from '../codec/codec.js'
import { encodeError } from '../codec/error-codec/encode.js'
import { findKnown, knowsShared, onCollected, watchThreads } from '../shared/registry.js'
import { beginChunk, beginLoading, endChunk, endLoading, noteHeap, claim } from './cells.js'
import { RunningChunk, type Host } from './chunk.js'
import { logConsole } from '../log/console.js'
import { logsConsole, takeLogSettings } from '../log/settings.js'
import { endThread } from './ending.js'
import { exposeControls } from './controls.js'
import { asTask, enterWorker } from './guard.js'
import { takeIdentity } from '../identity.js'
import { forItems, loadTask, type TaskFunction } from './load.js'
import {
  LISTENING,
  type ChunkMessage,
  type FromWorker,
  type JobMessage,
  type ToWorker,
  type WorkerJob,
  type WorkerSetup,
} from './protocol.js'
import { runProcess, type ProcessSetup } from './process.js'
import { arrived, loadShared } from './sharing.js'
import { Poster } from './poster.js'
import { runChunk } from './run.js'

interface KnownJob extends WorkerJob {
  fn?: TaskFunction
  initial?: unknown
  /** Packed, until the task is loaded. */
  readonly sentInitial: JobMessage['initial']
}

class WorkerLoop {
  readonly #host: Host
  readonly #port: MessagePort
  readonly #jobs = new Map<number, KnownJob>()
  readonly #queue: { readonly message: ChunkMessage; readonly job: KnownJob }[] = []
  #current: RunningChunk | undefined
  /** The number of the last chunk that has ended here, or was withdrawn. */
  #ended = 0
  /** Objects that were collected, of which the pool was not told. */
  #collected: string[] = []

  constructor({ port, worker, cells, controlled, watchHeap }: WorkerSetup) {
    this.#port = port
    const shared = new Int32Array(cells)
    const usedHeap = watchHeap ? heapMeter() : undefined
    this.#host = {
      worker,
      cells: shared,
      post(part, transfer) {
        const [, , , last] = part
        if (usedHeap !== undefined && last) noteHeap(shared, usedHeap())
        port.postMessage(part, transfer)
      },
      receive: () => {
        const next = (): ToWorker | undefined => receiveMessageOnPort(port)?.message as ToWorker | undefined
        for (let message = next(); message !== undefined; message = next()) this.#receive(message)
      },
    }
    listen(port, (message) => {
      this.#receive(message)
    })
    if (controlled) exposeControls(worker)
    onCollected((id) => {
      if (this.#collected.push(id) === 1) queueMicrotask(this.#reportCollected)
    })
    port.postMessage(LISTENING satisfies FromWorker)
  }

  #receive(message: ToWorker): void {
    if (isChunk(message)) this.#add(message)
    else if (message.type === 'chunks') for (const chunk of message.chunks) this.#add(chunk)
    else if (message.type === 'leave') void endThread()
    else if (message.type === 'job') this.#jobs.set(message.id, { ...message.job, sentInitial: message.initial })
    else if (message.type === 'end') this.#jobs.delete(message.id)
    else if (this.#current?.seq === message.seq) this.#current.cancel(message.reason)
    if (this.#current === undefined) this.#runQueue()
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
      // Withdrawn: another worker runs this chunk.
      if (!claim(this.#host.cells, slot, seq)) {
        this.#ended = seq
        continue
      }
      beginChunk(this.#host.cells, seq)
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

  #end(seq: number): void {
    this.#current = undefined
    this.#ended = seq
    endChunk(this.#host.cells)
    if (this.#collected.length > 0) this.#reportCollected()
  }

  /** Only while no chunk runs: that may not have been unpacked yet. */
  readonly #reportCollected = (): void => {
    if (this.#current !== undefined) return
    // Some may have come again.
    const ids = this.#collected.filter((id) => findKnown(id) === undefined)
    this.#collected = []
    if (ids.length > 0) {
      this.#port.postMessage({ type: 'collected', seq: this.#ended, ids } satisfies FromWorker)
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
  return asTask(() => runChunk(fn, chunk, poster))
}

async function loadAndRun(job: KnownJob, chunk: RunningChunk, poster: Poster): Promise<void> {
  const { cells } = chunk.host
  beginLoading(cells)
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
  }
  await runOrLoad(job, chunk, poster)
}

/** A message that cannot be read would leave its chunk without an answer. As a crash it is reported. */
function listen(port: MessagePort, receive: (message: ToWorker) => void): void {
  port.on('message', receive)
  port.on('messageerror', (error: unknown) => {
    throw error
  })
}

enterWorker()
watchThreads()
parentPort?.once('message', (setup: WorkerSetup | ProcessSetup) => {
  takeIdentity(setup.identity)
  takeLogSettings(setup.log)
  if (logsConsole()) logConsole()
  if (setup.type === 'process') void runProcess(setup)
  else new WorkerLoop(setup)
})
