/** How `console.log()` shows a process, or an object that threads share: by what its getters tell, rather than by its memory. */
import { inspect, type InspectOptions } from 'node:util'

/** `base`: the class whose getters, and those of its own base, tell nothing of the object. */
export function show(object: object, base: object, options: InspectOptions): string {
  const state: Record<string, unknown> = {}
  let prototype = Object.getPrototypeOf(object) as object | null
  for (; prototype !== null && prototype !== base; prototype = Object.getPrototypeOf(prototype) as object | null) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const value: unknown = descriptor.get?.call(object)
      // Parts of it are objects, and the library's own.
      if (value !== undefined && typeof value !== 'object') state[name] = value
    }
  }
  return `${object.constructor.name} ${inspect(state, options)}`
}
