/** The pool of millrace for a contender. */
import { Pool } from 'millrace'
import type { Entry } from '../harness/case.js'

/** It is kept between rounds, as the pools of the others. By default idle threads end after ten seconds. */
export function pooled(run: (pool: Pool) => Entry['run']): Entry {
  const pool = new Pool({ idleTimeout: Infinity })
  const close = async (): Promise<void> => {
    await pool.close()
  }
  return { run: run(pool), close }
}
