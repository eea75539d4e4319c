/** How users of a pool bound what is under way, by hand. */
import { availableParallelism } from 'node:os'
import { pMapIterable } from 'p-map'

/** Two tasks for each thread: the next one is there when the last one ends. More of them make none of the pools faster. */
const UNDER_WAY = 2 * availableParallelism()

/** In order, so many at once: `pMapIterable` of p-map, which is what there is for it. */
export function inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  run: (item: T) => Promise<R>,
  atOnce: number = UNDER_WAY,
): AsyncIterable<R> {
  return pMapIterable(items, run, { concurrency: atOnce }) as AsyncIterable<R>
}

/** In no order, so many at once, by the least code there can be: so many loops that each wait for one task at a time. */
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
