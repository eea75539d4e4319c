/** millrace's pool for a contender. */
import { Pool } from 'millrace'
import type { Entry } from '../harness/case.js'

/** Kept between rounds, as the pools of the others are; by default idle threads end after ten seconds. */
export function pooled(run: (pool: Pool) => Entry['run']): Entry {
  const pool = new Pool({ idleTimeout: Infinity })
  const close = async (): Promise<void> => {
    await pool.close()
  }
  return { run: run(pool), close }
}
