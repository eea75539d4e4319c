/**
 * The shared objects that this thread knows, and the classes that make them. One registry for a thread, on
 * `globalThis`, so that two copies of this library on one thread know each other's objects.
 *
 * Importing the library adds no listener. The first shared object does, and the first worker.
 */
import { isMainThread, threadId } from 'node:worker_threads'
import { removeThreads, subtreeOf, joinTree, noteChild } from './thread-tree.js'

const REGISTRY: unique symbol = Symbol.for('millrace.shared.state')

/**
 * An object that threads share, as far as the core knows it. Its class is in `lib/multiprocessing/`. The declarations
 * leave out all internal members.
 */
export interface SharedObject {
  /** @internal */
  readonly memory: Int32Array<SharedArrayBuffer>
  /** The parts that a thread can hold or wait for. They are told when a thread ends. @internal */
  readonly lockables: readonly SharedObject[]
  /** Whether one of these threads may know the object, and so hold it or wait for it. @internal */
  isKnownTo(threads: ReadonlySet<number>): boolean
  /** A `Process` on that thread is given the object. An end of a pipe is then held by that thread. @internal */
  transferTo?(thread: number): void
  /** Threads have ended: what they held or waited for here is given up. Harmless when repeated. @internal */
  releaseThreads(threads: ReadonlySet<number>): void
}

/** Makes an instance of memory, and of the other objects that it was made with. */
export type Maker = (memory: Int32Array<SharedArrayBuffer>, parts: readonly SharedObject[]) => SharedObject

interface Known {
  readonly id: string
  readonly reference: WeakRef<SharedObject>
  /** Whether the object has come from another thread, which may keep it for as long as it is here. */
  hasArrived: boolean
}

interface Registry {
  readonly kinds: Map<number, Maker>
  readonly known: Map<string, Known>
  readonly gone: FinalizationRegistry<Known>
  made: number
  isWatching: boolean
  onCollected?: (id: string) => void
}

function registry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry }
  return (holder[REGISTRY] ??= createRegistry())
}

function createRegistry(): Registry {
  const known = new Map<string, Known>()
  const gone = new FinalizationRegistry<Known>((instance) => {
    const { id } = instance
    // There may be another instance by now.
    if (known.get(id) === instance) known.delete(id)
    if (instance.hasArrived) registry().onCollected?.(id)
  })
  return { kinds: new Map(), known, gone, made: 0, isWatching: false }
}

/**
 * Tells how objects of a class are made of their memory. `kind` is a number from 1 to 255 that no other class ever has.
 */
export function defineKind(kind: number, make: Maker): void {
  registry().kinds.set(kind, make)
}

export function makerOf(kind: number): Maker | undefined {
  return registry().kinds.get(kind)
}

/** Whether any class is known on this thread; then all are. */
export function knowsShared(): boolean {
  return registry().kinds.size > 0
}

/** A number that no other object of this thread has. */
export function nextNumber(): number {
  return ++registry().made
}

export function remember(id: string, object: SharedObject): void {
  const { known, gone } = registry()
  watchThreads()
  // An object comes after its parts, also if it was known before.
  known.delete(id)
  const instance = { id, reference: new WeakRef(object), hasArrived: false }
  known.set(id, instance)
  gone.register(object, instance)
}

export function noteArrival(id: string): void {
  const instance = registry().known.get(id)
  if (instance !== undefined) instance.hasArrived = true
}

/**
 * Calls `listener` with the id of each object that has come from another thread, after its instance here was collected.
 */
export function onCollected(listener: (id: string) => void): void {
  registry().onCollected = listener
}

/** How many instances of objects this thread has, parts included. For tests. */
export function countKnown(): number {
  return registry().known.size
}

export function findKnown(id: string): SharedObject | undefined {
  return registry().known.get(id)?.reference.deref()
}

/** Hears of the ends of threads from now on; to be called before this thread starts one that may be given objects. */
export function watchThreads(): void {
  const state = registry()
  if (state.isWatching) return
  state.isWatching = true
  joinTree()
  // When this thread ends, also by an uncaught error, the locks that it holds are free at once. Threads that it has
  // started continue for a moment, and must not lose their locks. When the main thread ends, all others have
  // ended.
  if (!isMainThread) {
    process.once('exit', () => {
      tellAll(new Set([threadId]))
    })
  }
  // Of all workers, also those that this library did not start.
  process.on('worker', (worker) => {
    const { threadId: child } = worker
    noteChild(child)
    worker.once('exit', () => {
      const family = subtreeOf(child)
      tellAll(family)
      removeThreads(family)
    })
  })
}

/**
 * Threads have ended: all objects that they may know are told, each before its parts, while those still show what they
 * held.
 */
function tellAll(dead: ReadonlySet<number>): void {
  const touched: SharedObject[] = []
  for (const { reference } of registry().known.values()) {
    const object = reference.deref()
    if (object?.isKnownTo(dead) === true) touched.push(object)
  }
  for (const object of touched.reverse()) object.releaseThreads(dead)
}
