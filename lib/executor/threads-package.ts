/**
 * The `threads` package, loaded late and held at arm's length: its types stay out of our declarations, its signal
 * handlers out of the program. See `thread.ts` for how its calls are used.
 */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { requireThreads } from '../worker/load-threads.js'

/** What is used of `threads`. `W` is the type of the calls that the worker exposes. */
export interface Threads {
  spawn<W>(worker: SpawnableWorker): Promise<W>
  Thread: { terminate(thread: unknown): Promise<void> }
}

/** Loads `threads`, which takes many milliseconds: call it only where there is a control call to make. */
export function loadThreads(): Threads {
  const require = createRequire(import.meta.url)
  return requireThreads(require, 'threads', ['SIGINT', 'SIGTERM']) as Threads
}

type Listener = (event: { readonly data: unknown }) => void

/**
 * A native worker that `spawn()` accepts. The `Worker` class of `threads` takes only paths relative to the calling file
 * and keeps every instance for ever.
 *
 * `spawn()` is called once the worker's init message is there, which is then replayed to it: while it waits it holds a
 * timer that keeps the program alive, and it would not notice a worker that dies.
 */
export class SpawnableWorker extends Worker {
  /** Settles with the init message of `expose()`; never rejects. */
  readonly exposed: Promise<void>
  readonly #wrapped = new Map<Listener, (data: unknown) => void>()
  #init: unknown
  #keepsAlive = true

  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args)
    this.exposed = new Promise((resolve) => {
      const receive = (message: unknown): void => {
        // Tasks may post messages of their own before.
        if ((message as { type?: unknown } | null)?.type !== 'init') return
        this.off('message', receive)
        this.#init = message
        resolve()
      }
      this.on('message', receive)
    })
  }

  override ref(): void {
    this.#keepsAlive = true
    super.ref()
  }

  override unref(): void {
    this.#keepsAlive = false
    super.unref()
  }

  addEventListener(type: string, listener: Listener): void {
    const wrapped = (data: unknown): void => {
      listener({ data })
    }
    this.#wrapped.set(listener, wrapped)
    this.on(type, wrapped)
    // A new listener makes the worker keep the program alive again.
    if (!this.#keepsAlive) super.unref()
    const init = this.#init
    if (type !== 'message' || init === undefined) return
    this.#init = undefined
    queueMicrotask(() => {
      wrapped(init)
    })
  }

  removeEventListener(type: string, listener: Listener): void {
    const wrapped = this.#wrapped.get(listener)
    if (wrapped === undefined) return
    this.#wrapped.delete(listener)
    this.off(type, wrapped)
  }
}
