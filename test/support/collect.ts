/** Garbage collection on demand, for tests of objects that are kept alive. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { turns } from './gates.js'

setFlagsFromString('--expose-gc')
export const collect = runInNewContext('gc') as () => void

/** Collects garbage until a condition is true. @returns Whether it became true within this many rounds. */
export async function collected(holds: () => boolean, rounds = 50): Promise<boolean> {
  for (let round = 0; round < rounds && !holds(); round++) {
    // A WeakRef that was read keeps its target until the turn ends. Finalizers run in separate turns.
    await turns(1)
    collect()
    await turns(2)
  }
  return holds()
}
