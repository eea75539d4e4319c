/** The text that `console.log()` shows for a process or a shared object: the values of its getters, not its memory. */

/** `base`: a base class. Its getters, and those of its base classes, are left out. */
export function stateOf(object: object, base: object): object {
  const state: Record<string, unknown> = {}
  let prototype = Object.getPrototypeOf(object) as object | null
  for (; prototype !== null && prototype !== base; prototype = Object.getPrototypeOf(prototype) as object | null) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const value: unknown = descriptor.get?.call(object)
      // Its parts are objects. They are internal.
      if (value !== undefined && typeof value !== 'object') state[name] = value
    }
  }
  return state
}
