/** Where records end that are lines. */
import type { Slab } from '../scan/memory.js'
import { findByte, type EndsRoom } from '../scan/scan.js'
import type { Split, Splitter } from './record-scanner.js'

const NEWLINE = 10

/** Lines, without those that are blank. */
export class LineSplitter implements Splitter {
  readonly newline: number = NEWLINE
  readonly #isBlankByte: (byte: number) => boolean
  /** Whether the line at hand is blank so far. */
  #isBlank = true

  /** @param isBlankByte Which bytes a blank line may have. Such bytes before a record are not part of it. */
  constructor(isBlankByte: (byte: number) => boolean) {
    this.#isBlankByte = isBlankByte
  }

  scan(bytes: Slab, from: number, to: number, room: EndsRoom): Split {
    const found = findByte(bytes, from, to, NEWLINE, room)
    const memory = Buffer.from(bytes.buffer)
    const ends = new Uint32Array(room.slab.buffer, room.at, found.count)
    let start = from
    let count = 0
    for (const end of ends) {
      if (!this.#isBlank || !this.#isBlankIn(memory, start, end)) ends[count++] = end
      this.#isBlank = true
      start = end
    }
    this.#isBlank &&= this.#isBlankIn(memory, start, from + found.scanned)
    const end = from + found.scanned
    return { ...found, count, newlines: found.count, recordsFrom: this.#isBlank ? end : undefined }
  }

  contentStart(bytes: Buffer, start: number, end: number): number {
    return bytesBehind(bytes, start, end, this.#isBlankByte)
  }

  end(): 'record' | 'nothing' {
    return this.#isBlank ? 'nothing' : 'record'
  }

  #isBlankIn(bytes: Buffer, start: number, end: number): boolean {
    return this.contentStart(bytes, start, end) === end
  }
}

/** Where the first byte is that is not left out. */
export function bytesBehind(bytes: Buffer, start: number, end: number, isLeftOut: (byte: number) => boolean): number {
  let at = start
  while (at < end && isLeftOut(bytes[at] ?? 0)) at++
  return at
}
