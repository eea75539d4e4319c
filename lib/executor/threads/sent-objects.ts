/**
 * The objects that a worker was sent and may have: locks, queues and the like. This thread keeps them, as it is the one that tells them
 * of the worker's end. It forgets an object when the worker has none of it, and no chunk under way holds it.
 *
 * The worker tells which objects it has no more, and which chunks it had read by then. It does not tell when it reads a chunk: that is
 * known when the chunk has ended. So an object is kept until all its chunks have ended or were withdrawn, and the worker has told, after
 * the last one that it has read, that it has the object no more.
 */
import { findKnown, type SharedObject } from '../../shared/registry.js'

interface Entry {
  /** How many chunks under way hold it. */
  underWay: number
  /** The last chunk with it that the worker has read. */
  read: number
  /** The last chunk that the worker had read when it told that it has the object no more. */
  collected: number
}

export class SentObjects {
  readonly #entries = new Map<SharedObject, Entry>()

  /** How many objects are kept. For tests. */
  get size(): number {
    return this.#entries.size
  }

  /** A chunk with these objects was sent. */
  add(objects: readonly SharedObject[]): void {
    for (const object of objects) {
      const entry = this.#entries.get(object)
      if (entry !== undefined) entry.underWay++
      else this.#entries.set(object, { underWay: 1, read: 0, collected: 0 })
    }
  }

  /** A chunk has ended. @param seq Its number; 0 if the worker has not read it. */
  settle(objects: readonly SharedObject[], seq: number): void {
    for (const object of objects) {
      const entry = this.#entries.get(object)
      if (entry === undefined) continue
      entry.underWay--
      entry.read = Math.max(entry.read, seq)
      this.#forgetIfCollected(object, entry)
    }
  }

  /** The worker, which has read the chunks up to `seq`, does not have these objects. */
  collected(ids: readonly string[], seq: number): void {
    for (const id of ids) {
      const object = findKnown(id)
      const entry = object && this.#entries.get(object)
      if (object === undefined || entry === undefined) continue
      entry.collected = seq
      this.#forgetIfCollected(object, entry)
    }
  }

  #forgetIfCollected(object: SharedObject, { underWay, read, collected }: Entry): void {
    if (underWay === 0 && read <= collected) this.#entries.delete(object)
  }
}

/** What of the objects in a message the worker can hold or wait for; undefined if there is none. */
export function lockablesOf(
  ...groups: readonly (ReadonlySet<SharedObject> | readonly SharedObject[] | undefined)[]
): readonly SharedObject[] | undefined {
  let lockables: Set<SharedObject> | undefined
  for (const group of groups) {
    for (const object of group ?? []) for (const lockable of object.lockables) (lockables ??= new Set()).add(lockable)
  }
  return lockables && [...lockables]
}
