/** Times of small pieces of work: the median of some rounds, after one that does not count. */

export interface Time {
  /** Milliseconds. */
  readonly wall: number
  /** Milliseconds of all threads of the process, in user and system mode. */
  readonly cpu: number
  /** The part of `cpu` in system mode. */
  readonly system: number
}

export async function median(rounds: number, work: () => unknown): Promise<Time> {
  const times: Time[] = []
  await work()
  for (let round = 0; round < rounds; round++) {
    const usage = process.cpuUsage()
    const start = performance.now()
    await work()
    const wall = performance.now() - start
    const { user, system } = process.cpuUsage(usage)
    times.push({ wall, cpu: (user + system) / 1_000, system: system / 1_000 })
  }
  return { wall: middle(times, 'wall'), cpu: middle(times, 'cpu'), system: middle(times, 'system') }
}

function middle(times: readonly Time[], key: keyof Time): number {
  const sorted = times.map((time) => time[key]).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
