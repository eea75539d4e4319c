/**
 * Which process a number of a process means. The system uses such a number again for another process: also after a
 * restart, and in each container.
 */
import { readFile } from 'node:fs/promises'

/** What tells a process from others that have had its number. Undefined: this system does not tell it. */
export async function birthOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const [boot, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ])
    // The name of the program, in parentheses, may contain anything. When it started is field 22; field 3 is the next one.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return ticks === undefined ? undefined : `${boot.trim()}/${ticks}`
  } catch {
    return undefined
  }
}

/** Milliseconds since the system started, for all its processes. Nobody can set this clock back or forward. */
export function systemTime(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Whether this process, the one of all its threads, was there at a system time. One from before a restart may count. */
export function wasHere(time: number): boolean {
  const now = systemTime()
  return time >= now - process.uptime() * 1e3 && time <= now
}

/** Whether there is a process with this number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is that of another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
