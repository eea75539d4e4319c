/** Checks of foreign sources: they may break their types, and give anything. */
import { received, typeError } from '../errors.js'
import type { Source } from './source.js'

/** Whether `next()` gave an item. If not, it gave the end, a promise, or garbage. */
export function isItem(result: unknown): result is { readonly value: unknown } {
  return typeof result === 'object' && result !== null && !isDone(result) && !isPromise(result)
}

/** As in the language: any truthy value ends the source. */
export function isDone(result: { readonly done?: unknown }): boolean {
  return Boolean(result.done)
}

export function isPromise<T>(result: T | Promise<T>): result is Promise<T> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Throws if `next()` gave garbage, or a promise for it. */
export function assertResult(given: unknown): asserts given is IteratorResult<unknown> {
  if (typeof given === 'object' && given !== null) return
  throw typeError(
    'ERR_INVALID_SOURCE',
    `Cannot read the source as its next() must give an object { value, done }: received ${received(given)}`,
  )
}

/** The error of a source that gives an object again after a change. Items that wait have changed with it. */
export function changedItemError(item: object): TypeError {
  return typeError(
    'ERR_INVALID_SOURCE',
    'Cannot continue to read as the source has changed an object that it gave before, and has given it again. Items are copied when ' +
      'they are sent, so the item before may be wrong, too. Give a new object for each item, for example { ...item } or ' +
      `Buffer.from(chunk): received ${received(item)}`,
  )
}

/** How many items a collection in memory has. */
export function lengthOf(source: Source<unknown>): number | undefined {
  // The type of a source does not say so, but arrays and views have a length. A DataView has none: it is not a source.
  if (Array.isArray(source) || ArrayBuffer.isView(source)) return (source as unknown as ArrayLike<unknown>).length
  return source instanceof Set || source instanceof Map ? source.size : undefined
}
