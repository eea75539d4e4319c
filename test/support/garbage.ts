/** Whether values are still alive after a garbage collection. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { turns } from './gates.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** The number of values that are still alive. Garbage is collected until few enough are, or a few times. */
export async function collectGarbage(refs: readonly WeakRef<object>[], most: () => number = () => 0): Promise<number> {
  let left = refs.length
  for (let round = 0; round < 20 && left > most(); round++) {
    await turns(2)
    collect()
    left = refs.filter((ref) => ref.deref() !== undefined).length
  }
  return left
}
