/** Being busy for a time, and saying when that was, by a clock that all threads share. */

/** When a task began and ended, in milliseconds. */
export type Interval = readonly [start: number, end: number]

/** Busy for so many milliseconds. */
export function busyFor(milliseconds: number): Interval {
  const start = clock()
  let now = start
  while (now - start < milliseconds) now = clock()
  return [start, now]
}

/** `performance.now()` begins anew in each thread. */
function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/**
 * How busy `workers` were, in percent: the time within tasks over the time there was. The first and the last tenth are left
 * out: starting and running dry are not what is asked about.
 */
export function busyPercent(intervals: readonly Interval[], workers: number): number {
  const first = Math.min(...intervals.map(([start]) => start))
  const last = Math.max(...intervals.map(([, end]) => end))
  const [from, to] = [first + (last - first) / 10, last - (last - first) / 10]
  const busy = intervals.map(([start, end]) => Math.max(0, Math.min(end, to) - Math.max(start, from)))
  return (100 * busy.reduce((sum, time) => sum + time, 0)) / (workers * (to - from))
}
