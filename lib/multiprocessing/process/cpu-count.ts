/** The number of threads that can run at once. */
import { availableParallelism } from 'node:os'

/**
 * The number of threads that can run at once: `os.availableParallelism()`. It respects the limits of a container if
 * Node knows them.
 *
 * @example
 * ```ts
 * import { Pool } from 'millrace'
 * import { cpuCount } from 'millrace/multiprocessing'
 *
 * // One is left for everything else.
 * await using pool = new Pool({ workers: Math.max(1, cpuCount() - 1) })
 * console.log(pool.workers === Math.max(1, cpuCount() - 1))
 * // → true
 * ```
 */
export function cpuCount(): number {
  return availableParallelism()
}
