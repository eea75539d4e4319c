/** How `console.log()` shows the objects of this library: with their state. Node would show methods, or nothing. */
import { inspect, type InspectOptions } from 'node:util'

/** Shows an object as the text that `show` gives. With the prototype of a class, it does so for all instances. */
export function showText<T extends object>(prototype: T, show: (object: T, options: InspectOptions) => string): void {
  // Not a method of the class, because that would be part of the declarations.
  Object.defineProperty(prototype, inspect.custom, {
    value(this: T, depth: number | null, options: InspectOptions) {
      return show(this, { ...options, depth })
    },
  })
}

/** Shows the same as `Name { … }`, with the state that `stateOf` gives. Default of `name`: the name of the class. */
export function showState<T extends object>(prototype: T, stateOf: (object: T) => object, name?: string): void {
  showText(prototype, (object, options) => {
    const shown = name ?? object.constructor.name
    const isTooDeep = typeof options.depth === 'number' && options.depth < 0
    return isTooDeep ? `[${shown}]` : `${shown} ${inspect(stateOf(object), options)}`
  })
}
