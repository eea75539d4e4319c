/** Processes of the system, as a test sees them. */
import { readFileSync } from 'node:fs'
import { until } from '../fixtures/contract-b-ways.js'

/** Whether a process has ended. One that nobody has waited for is left as a zombie. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return true
  }
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return process.platform === 'linux'
  }
}

/** Settles when all have ended. */
export async function gone(pids: readonly number[]): Promise<void> {
  await until(() => pids.every(isGone))
}
