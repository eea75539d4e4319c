/** piscina with as many threads as cores, because its default is more. All else is its default. */
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import type { Peer } from './peer.js'

/** The options that `piscina-tuned.ts` changes. */
type Options = NonNullable<ConstructorParameters<typeof Piscina>[0]>

export function open(options?: Options): Peer {
  const threads = availableParallelism()
  const filename = new URL('./functions.js', import.meta.url).href
  const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads, ...options })
  return {
    run: (name, argument) => pool.run(argument, { name }),
    close: () => pool.destroy(),
  }
}
