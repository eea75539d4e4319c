/** The value that must arrive on another thread. */

/** A structured clone that keeps Buffers, and objects without a prototype. */
export function copyOf(value: unknown): unknown {
  const clone: unknown = structuredClone(value)
  putRight(clone, value, new Set())
  return clone
}

function putRight(clone: unknown, original: unknown, seen: Set<unknown>): void {
  if (typeof original !== 'object' || original === null || seen.has(original)) return
  seen.add(original)
  if (Buffer.isBuffer(original)) Object.setPrototypeOf(clone, Buffer.prototype as object)
  if (ArrayBuffer.isView(original)) return
  if (Object.getPrototypeOf(original) === null) Object.setPrototypeOf(clone, null)
  if (original instanceof Map || original instanceof Set) {
    const parts = [...(clone as Set<unknown>)]
    ;[...original].forEach((part: unknown, at) => {
      putRight(parts[at], part, seen)
    })
    return
  }
  for (const key of Object.keys(original)) putRight(Reflect.get(clone as object, key), Reflect.get(original, key), seen)
}
