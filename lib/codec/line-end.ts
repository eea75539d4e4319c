/** Finds line ends in bytes. By default `\n`, and a `\r` before it belongs to the end. Otherwise any bytes. */

export const NEWLINE = 10
export const CARRIAGE_RETURN = 13
export const NO_BYTES: Buffer = Buffer.alloc(0)

export class LineEnd {
  /** The bytes that were chosen; undefined for the default. */
  readonly delimiter: Uint8Array | undefined
  /** A number for one byte: Node finds it faster than an array of one. */
  readonly #needle: number | Uint8Array
  /** How many bytes the delimiter has; a `\r` before `\n` is not counted. */
  readonly length: number
  /** Whether two of them can overlap, as in `aaa`: only a search from the start of a line tells then where one is. */
  readonly #overlaps: boolean

  constructor(delimiter?: Uint8Array) {
    this.delimiter = delimiter
    this.length = delimiter?.length ?? 1
    this.#needle = delimiter === undefined ? NEWLINE : delimiter.length === 1 ? (delimiter[0] ?? 0) : delimiter
    this.#overlaps = delimiter !== undefined && overlapsItself(delimiter)
  }

  /** The last byte of every end, and of nothing else; undefined where an end is more than that. */
  get byte(): number | undefined {
    return typeof this.#needle === 'number' ? this.#needle : undefined
  }

  /** How many bytes an end has at most. */
  get maxLength(): number {
    return this.delimiter === undefined ? 2 : this.length
  }

  /** Where the line that begins at `start` ends, its end included; -1 if it does not end here. */
  find(block: Buffer, start: number): number {
    const at = block.indexOf(this.#needle, start)
    return at < 0 ? -1 : at + this.length
  }

  /** Where the next line begins, or the block ends. */
  after(block: Buffer, start: number): number {
    const at = block.indexOf(this.#needle, start)
    return at < 0 ? block.length : at + this.length
  }

  /** Where the text of the line that begins at `start` ends, if `end` is what `find()` has given. */
  textEnd(block: Buffer, start: number, end: number): number {
    const at = end - this.length
    return this.delimiter === undefined && at > start && block[at - 1] === CARRIAGE_RETURN ? at - 1 : at
  }

  /** Where the last whole line ends; 0 if there is none. The block must begin where a line begins. */
  findLast(block: Buffer): number {
    if (!this.#overlaps) {
      const at = block.lastIndexOf(this.#needle)
      return at < 0 ? 0 : at + this.length
    }
    let last = 0
    for (let end = this.find(block, 0); end >= 0; end = this.find(block, end)) last = end
    return last
  }

  /** Where the first line, which begins in `held`, ends in `more`, in bytes of `more`. -1 if it does not end there. */
  findAcross(held: Buffer, more: Buffer): number {
    const reach = this.length - 1
    if (reach > 0) {
      const before = held.subarray(Math.max(0, held.length - reach))
      const at = Buffer.concat([before, more.subarray(0, reach)]).indexOf(this.#needle)
      if (at >= 0) return at + this.length - before.length
    }
    return this.find(more, 0)
  }

  /** How many bytes at the end of a line without end may be the beginning of one. */
  begun(line: Buffer): number {
    if (this.delimiter === undefined) return line[line.length - 1] === CARRIAGE_RETURN ? 1 : 0
    for (let length = Math.min(this.length - 1, line.length); length > 0; length--) {
      if (line.subarray(line.length - length).equals(this.delimiter.subarray(0, length))) return length
    }
    return 0
  }

  /** Where the first line begins whose text is longer than `maxLength`. */
  findLong(block: Buffer, maxLength: number): number | undefined {
    let start = 0
    while (block.length - start > maxLength) {
      if (!this.#overlaps) {
        // All lines up to the last end within reach are short enough: they are skipped together.
        const at = block.lastIndexOf(this.#needle, start + maxLength)
        if (at >= start) {
          start = at + this.length
          continue
        }
      }
      const end = this.find(block, start)
      if ((end < 0 ? block.length : this.textEnd(block, start, end)) - start > maxLength) return start
      start = end < 0 ? block.length : end
    }
    return undefined
  }

  /** Whether whole lines end with an end, so that what follows them is another line. False where that is not sure. */
  isAtEnd(lines: Buffer): boolean {
    if (this.delimiter === undefined) return lines[lines.length - 1] === NEWLINE
    return !this.#overlaps && lines.subarray(-this.length).equals(this.delimiter)
  }

  /** Where whole lines that begin with `block` can best be cut; 0 if nowhere. */
  findCut(block: Buffer): number {
    return this.#overlaps ? 0 : this.findLast(block)
  }
}

function overlapsItself(bytes: Uint8Array): boolean {
  for (let length = 1; length < bytes.length; length++) {
    if (Buffer.compare(bytes.subarray(0, length), bytes.subarray(bytes.length - length)) === 0) return true
  }
  return false
}
