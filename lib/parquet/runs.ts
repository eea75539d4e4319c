/**
 * Looks through runs of equal or packed numbers: levels, and positions in a dictionary. The package fills an array as far
 * as a run says, and ends the process where that is too long.
 */

/** How far a run may go beyond its page: writers fill up the last one, DuckDB to 256 values. */
const PADDING = 65_536

/**
 * @param width How many bits a number has.
 * @param count The most numbers that there are.
 * @throws Error if a run is longer, or is cut.
 */
export function checkRuns(bytes: Uint8Array, start: number, end: number, width: number, count: number): void {
  let at = start
  let seen = 0
  while (seen < count && at < end) {
    let head = 0
    let factor = 1
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined || at > end || factor > 2 ** 35) throw new Error('a run of values is cut')
      head += (byte & 127) * factor
      if (byte < 128) break
      factor *= 128
    }
    const isPacked = head % 2 === 1
    const half = Math.floor(head / 2)
    const length = isPacked ? 8 * half : half
    if (length > count + PADDING) throw new Error(`a run has ${length} values, and its page ${count}`)
    seen += length
    at += isPacked ? half * width : Math.ceil(width / 8)
  }
}
