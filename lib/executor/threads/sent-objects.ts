/**
 * The shared objects that a worker was sent and may have, such as locks and queues. This thread keeps them, because it tells them when the
 * worker ends. It forgets an object when the worker does not have it any more, and no chunk under way contains it.
 *
 * The worker tells when it has garbage collected an object, and which chunks it had read by then. Only the end of a chunk tells that the
 * worker has read it. So an object is kept until all its chunks have ended or were withdrawn. Then the worker must have told, after it
 * read the last of them, that the object is gone.
 */
import { findKnown, type SharedObject } from '../../shared/registry.js'

interface Entry {
  /** How many chunks under way contain it. */
  underWay: number
  /** The last chunk with it that the worker has read. */
  read: number
  /** The last chunk that the worker had read when it told that the object is gone. */
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

  /** The worker has read the chunks up to `seq`, and does not have these objects. */
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

/** The objects in a message that the worker can hold or wait for; undefined if there are none. */
export function lockablesOf(
  ...groups: readonly (ReadonlySet<SharedObject> | readonly SharedObject[] | undefined)[]
): readonly SharedObject[] | undefined {
  let lockables: Set<SharedObject> | undefined
  for (const group of groups) {
    for (const object of group ?? []) for (const lockable of object.lockables) (lockables ??= new Set()).add(lockable)
  }
  return lockables && [...lockables]
}
