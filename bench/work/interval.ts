/** Keeps a thread busy for a time, and notes when that was, by a clock that all threads share. */

/** The begin and the end of a task, in milliseconds. */
export type Interval = readonly [start: number, end: number]

/** Keeps the thread busy for this many milliseconds. */
export function busyFor(milliseconds: number): Interval {
  const start = clock()
  let now = start
  while (now - start < milliseconds) now = clock()
  return [start, now]
}

/** `performance.now()` begins at 0 in each thread. */
function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/**
 * The load of `workers` in percent: the time inside tasks, divided by the whole time. The first and the last tenth are
 * left out: the start and the end of the stream do not count.
 */
export function busyPercent(intervals: readonly Interval[], workers: number): number {
  const first = Math.min(...intervals.map(([start]) => start))
  const last = Math.max(...intervals.map(([, end]) => end))
  const [from, to] = [first + (last - first) / 10, last - (last - first) / 10]
  const busy = intervals.map(([start, end]) => Math.max(0, Math.min(end, to) - Math.max(start, from)))
  return (100 * busy.reduce((sum, time) => sum + time, 0)) / (workers * (to - from))
}
