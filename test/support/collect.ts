/** Garbage collection on demand, for tests of what is kept alive. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { turns } from './gates.js'

setFlagsFromString('--expose-gc')
export const collect = runInNewContext('gc') as () => void

/** Collects garbage until something holds that follows from it. @returns Whether it does, after so many rounds at most. */
export async function collected(holds: () => boolean, rounds = 50): Promise<boolean> {
  for (let round = 0; round < rounds && !holds(); round++) {
    // A WeakRef that was read holds its target until the turn ends; and finalizers run in turns of their own.
    await turns(1)
    collect()
    await turns(2)
  }
  return holds()
}
