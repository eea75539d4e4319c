/** The members of objects that the declarations of the package do not show. */

/** The whole shared memory of a lock, a queue or a similar object, with its header. */
export function memoryOf(object: object): Int32Array<SharedArrayBuffer> {
  return (object as { memory: Int32Array<SharedArrayBuffer> }).memory
}

/** Whether one of these threads may know the object. */
export function isKnownTo(object: object, threads: ReadonlySet<number>): boolean {
  return (object as { isKnownTo: (threads: ReadonlySet<number>) => boolean }).isKnownTo(threads)
}
