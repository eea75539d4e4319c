/** Limits the tasks that run at once, as users of a pool do it by hand. */
import { availableParallelism } from 'node:os'
import { pMapIterable } from 'p-map'

/**
 * Two tasks for each thread: the next one is there when the last one ends. With more tasks, the pools are not faster.
 */
const UNDER_WAY = 2 * availableParallelism()

/** In order, `atOnce` at a time: `pMapIterable` of p-map is made for that. */
export function inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  run: (item: T) => Promise<R>,
  atOnce: number = UNDER_WAY,
): AsyncIterable<R> {
  return pMapIterable(items, run, { concurrency: atOnce }) as AsyncIterable<R>
}

/**
 * In any order, `atOnce` at a time, with as little code as possible: each of `atOnce` loops waits for one task at a time.
 */
export async function inAnyOrder<T, R>(
  items: Iterable<T>,
  run: (item: T) => Promise<R>,
  atOnce: number,
  each: (result: R) => void,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const loop = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) each(await run(next.value))
  }
  await Promise.all(Array.from({ length: atOnce }, loop))
}
