/** What a worker thread starts with: it answers control calls through `threads`, and chunks on its data port. */
import { createRequire } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import { sealError } from '../codec/envelope.js'
import type { TaskName } from '../task.js'
import { settleOffer } from './cells.js'
import { asTask, enterWorker } from './guard.js'
import { requireThreads } from './load-threads.js'
import { forItems, loadTask, type TaskFunction } from './load.js'
import type { ChunkMessage, PartMessage, ToWorker, WorkerControl, WorkerSetup } from './protocol.js'
import { ChunkRun, type Host } from './run.js'

interface KnownTask {
  readonly name: TaskName
  fn?: TaskFunction
}

/** The data port's end: takes chunks in turn, one at a time. */
class Desk {
  readonly #host: Host
  readonly #tasks = new Map<number, KnownTask>()
  readonly #queue: ChunkMessage[] = []
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
    if (message.type === 'task') this.#tasks.set(message.task, { name: message.name })
    else if (message.type === 'cancel') {
      if (this.#current?.seq === message.seq) this.#current.run.cancel()
    } else {
      this.#queue.push(message)
      if (this.#current === undefined) void this.#work()
    }
  }

  async #work(): Promise<void> {
    for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
      // Withdrawn: another worker runs this chunk.
      if (!settleOffer(this.#host.cells, message.slot, message.seq)) continue
      const task = this.#tasks.get(message.task)
      if (task === undefined)
        throw new Error(`Chunk ${message.seq} names task ${message.task} before it was introduced`)
      const run = new ChunkRun(message, task.name.id, this.#host)
      this.#current = { seq: message.seq, run }
      await runChunk(task, run)
    }
    this.#current = undefined
  }
}

async function runChunk(task: KnownTask, run: ChunkRun): Promise<void> {
  try {
    task.fn ??= forItems(task.name, await loadTask(task.name))
  } catch (error) {
    run.fail(error)
    return
  }
  const { fn } = task
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
