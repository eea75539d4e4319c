/**
 * All that this library uses of the `threads` package: its calls, by which a pool runs the finalizer of a worker. The pool's side is `spawn()` and `terminate()`, the worker's side is `expose()`. Chunks and their outcomes
 * do not come this way.
 *
 * The package is loaded at the first call, because that takes many milliseconds. Its types stay out of our declarations,
 * and its listeners out of the program.
 */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

/**
 * Makes the calls that a worker exposes callable. Settles when they are, and not at all when the worker dies before: a
 * call does not settle then either.
 */
export async function spawn<C extends object>(worker: SpawnableWorker): Promise<C> {
  const threads = loadThreads()
  await worker.exposed
  return (await threads.spawn(worker)) as C
}

/** Ends the worker of these calls. */
export async function terminate(calls: object): Promise<void> {
  await loadThreads().Thread.terminate(calls)
}

/** In a worker, once: lets the pool make these calls. */
export function expose(calls: object): void {
  // The handlers of 'threads/worker' swallow uncaught errors, and report some of them later by message. Without them a
  // crash is what Node makes of it: the end of the thread, with an `error` event in its parent.
  const worker = load('threads/worker', ['uncaughtException', 'unhandledRejection']) as { expose(calls: object): void }
  worker.expose(calls)
}

interface Threads {
  spawn(worker: SpawnableWorker): Promise<unknown>
  readonly Thread: { terminate(calls: object): Promise<void> }
}

function loadThreads(): Threads {
  return load('threads', ['SIGINT', 'SIGTERM']) as Threads
}

/**
 * Requires a module of the package, and removes the listeners that this adds to `process` for `events`. Listeners of a
 * program that has loaded `threads` itself stay.
 */
function load(module: string, events: readonly string[]): unknown {
  const require = createRequire(import.meta.url)
  const before = events.map((event) => process.rawListeners(event))
  const loaded = withoutEval(require, () => require(module) as unknown)
  events.forEach((event, i) => {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]?.includes(listener)) process.removeListener(event, listener as () => void)
    }
  })
  return loaded
}

/**
 * `threads` gets Node's modules, once, by `eval('require')`. That fails where code from strings is not allowed, unless it
 * finds the global that webpack defines for this purpose.
 */
function withoutEval<T>(require: NodeJS.Require, load: () => T): T {
  const scope = globalThis as { __non_webpack_require__?: unknown }
  if ('__non_webpack_require__' in scope) return load()
  scope.__non_webpack_require__ = require
  try {
    return load()
  } finally {
    delete scope.__non_webpack_require__
  }
}

type Listener = (event: { readonly data: unknown }) => void

/**
 * A native worker that `spawn()` of the package accepts. Its own `Worker` class takes only paths relative to the calling
 * file, and keeps every instance.
 *
 * The package is given the worker when the init message is there, which is then replayed to it. While it waits for that
 * message it holds a timer that keeps the program alive, and it would not notice a worker that dies.
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
        // Tasks may post messages before.
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
