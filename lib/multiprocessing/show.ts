/**
 * What `console.log()` shows of a process, or of an object that threads share: what its getters tell, rather than its
 * memory.
 */

/** `base`: the class whose getters, and those of its base classes, say nothing about the object. */
export function stateOf(object: object, base: object): object {
  const state: Record<string, unknown> = {}
  let prototype = Object.getPrototypeOf(object) as object | null
  for (; prototype !== null && prototype !== base; prototype = Object.getPrototypeOf(prototype) as object | null) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const value: unknown = descriptor.get?.call(object)
      // Parts of it are objects, and the library's own.
      if (value !== undefined && typeof value !== 'object') state[name] = value
    }
  }
  return state
}
