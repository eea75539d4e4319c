/**
 * The shared objects that this thread knows, and the classes that make them. One registry for a thread, on `globalThis`, so that
 * two copies of this library on one thread know each other's objects.
 *
 * To load the library changes nothing of the thread: it listens for the ends of others from its first shared object on, or from when
 * it first starts a worker.
 */
import { isMainThread, threadId } from 'node:worker_threads'
import { dropFamily, familyOf, joinKin, noteChild } from './kin.js'

const REGISTRY: unique symbol = Symbol.for('millrace.shared.state')

/** What is known of an object. */
export interface Entry {
  /** Whether one of these threads may know the object, and so hold it or wait for it. */
  isKnownTo(threads: ReadonlySet<number>): boolean
  /** Threads have ended: what they held or waited for here is given up. Harmless when repeated. */
  bury(threads: ReadonlySet<number>): void
}

/** One instance of an object on this thread. */
interface Known {
  readonly id: string
  readonly reference: WeakRef<Entry>
  /** Whether the object has come from another thread, which may keep it for as long as it is here. */
  hasArrived: boolean
}

interface Registry {
  readonly kinds: Map<number, unknown>
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

/** Makers of objects, by the number of their class. */
export function knownKinds(): Map<number, unknown> {
  return registry().kinds
}

/** A number that no other object of this thread has. */
export function nextNumber(): number {
  return ++registry().made
}

export function remember(id: string, object: Entry): void {
  const { known, gone } = registry()
  watchThreads()
  // An object comes after its parts, also if it was known before.
  known.delete(id)
  const instance = { id, reference: new WeakRef(object), hasArrived: false }
  known.set(id, instance)
  gone.register(object, instance)
}

/** The object has come from another thread. */
export function noteArrival(id: string): void {
  const instance = registry().known.get(id)
  if (instance !== undefined) instance.hasArrived = true
}

/** Calls `listener` with the id of each object that has come from another thread, after its instance here was collected. */
export function onCollected(listener: (id: string) => void): void {
  registry().onCollected = listener
}

/** How many instances of objects this thread has, parts included. For tests. */
export function countKnown(): number {
  return registry().known.size
}

/** The instance of an object on this thread. */
export function findKnown(id: string): Entry | undefined {
  return registry().known.get(id)?.reference.deref()
}

/** Hears of the ends of threads from now on; to be called before this thread starts one that may be given objects. */
export function watchThreads(): void {
  const state = registry()
  if (state.isWatching) return
  state.isWatching = true
  joinKin()
  // What this thread holds when it ends in good order, or by an uncaught error, is free at once. Those that it has started go on for a
  // moment, and are not to lose what they hold meanwhile. With the main thread all others have ended.
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
      const family = familyOf(child)
      tellAll(family)
      dropFamily(family)
    })
  })
}

/** Threads have ended: all objects that they may know are told, each before its parts, while those still show what they held. */
function tellAll(dead: ReadonlySet<number>): void {
  const touched: Entry[] = []
  for (const { reference } of registry().known.values()) {
    const object = reference.deref()
    if (object?.isKnownTo(dead) === true) touched.push(object)
  }
  for (const object of touched.reverse()) object.bury(dead)
}
