/** The clock of a worker. `performance` would load modules of Node, which takes a worker 2 ms at its start. */

/** Milliseconds since some time in the past. They never go backwards, and have a fraction. */
export function milliseconds(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}
