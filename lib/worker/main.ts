/** What a worker thread starts with: it answers control calls through `threads`, and chunks on its data port. */
import { createRequire } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import { sealError } from '../codec/envelope.js'
import { settleOffer } from './cells.js'
import { asTask, enterWorker } from './guard.js'
import { requireThreads } from './load-threads.js'
import { forItems, loadTask, type TaskFunction } from './load.js'
import type { ChunkMessage, PartMessage, ToWorker, WorkerControl, WorkerJob, WorkerSetup } from './protocol.js'
import { ChunkRun, type Host } from './run.js'

interface KnownJob extends WorkerJob {
  fn?: TaskFunction
}

/** The data port's end: takes chunks in turn, one at a time. */
class Desk {
  readonly #host: Host
  readonly #jobs = new Map<number, KnownJob>()
  readonly #queue: { readonly message: ChunkMessage; readonly job: KnownJob }[] = []
  #current: { readonly seq: number; readonly run: ChunkRun } | undefined

  constructor({ port, worker, cells }: WorkerSetup) {
    this.#host = {
      worker,
      cells: new Int32Array(cells),
      post: (part: PartMessage, transfer) => {
        port.postMessage(part, transfer)
      },
    }
    listen(port, (message) => {
      this.#receive(message)
    })
  }

  #receive(message: ToWorker): void {
    if (isChunk(message)) {
      const [seq, , id] = message
      const job = this.#jobs.get(id)
      if (job === undefined) throw new Error(`Chunk ${seq} names job ${id} before it was introduced`)
      this.#queue.push({ message, job })
      if (this.#current === undefined) void this.#work()
    } else if (message.type === 'job') this.#jobs.set(message.id, { ...message.job })
    else if (message.type === 'end') this.#jobs.delete(message.id)
    else if (this.#current?.seq === message.seq) this.#current.run.cancel()
  }

  async #work(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { message, job } = next
      const [seq, slot] = message
      // Withdrawn: another worker runs this chunk.
      if (!settleOffer(this.#host.cells, slot, seq)) continue
      const run = new ChunkRun(message, job, this.#host)
      this.#current = { seq, run }
      await runChunk(job, run)
    }
    this.#current = undefined
  }
}

function isChunk(message: ToWorker): message is ChunkMessage {
  return Array.isArray(message)
}

async function runChunk(job: KnownJob, run: ChunkRun): Promise<void> {
  try {
    job.fn ??= forItems(job, await loadTask(job.name))
  } catch (error) {
    run.fail(error)
    return
  }
  const { fn } = job
  await asTask(() => run.run(fn))
}

/** A message that cannot be read back would leave its chunk without an answer; as a crash it is reported. */
function listen(port: MessagePort, receive: (message: ToWorker) => void): void {
  port.on('message', receive)
  port.on('messageerror', (error: unknown) => {
    throw error
  })
}

const control: WorkerControl = {
  async open(setup) {
    const { initializer, initargs, worker } = setup
    if (initializer !== undefined) {
      try {
        const initialize = await loadTask(initializer)
        await asTask(() => initialize(...initargs))
      } catch (error) {
        return sealError(error, `initializer '${initializer.id}' (worker ${worker})`)
      }
    }
    new Desk(setup)
    return undefined
  },
}

/**
 * Importing `threads/worker` would add handlers that swallow uncaught errors and report some of them later by message.
 * Without them a crash is what Node makes of it: the end of the thread, with an `error` event in its parent.
 */
function loadThreadsWorker(): { expose(control: WorkerControl): void } {
  const require = createRequire(import.meta.url)
  const handlers = ['uncaughtException', 'unhandledRejection']
  return requireThreads(require, 'threads/worker', handlers) as ReturnType<typeof loadThreadsWorker>
}

enterWorker()
loadThreadsWorker().expose(control)
