/**
 * Finds the lines of blocks, and cuts as many as are wanted: as segments of shared memory, which any thread can decode. Blocks of files
 * are there already; all others are copied.
 */
import { NO_BYTES, type LineEnd } from '../codec/line-end.js'
import type { LineFormat } from '../codec/records/format.js'
import type { HeldSegment } from '../codec/records/record-batch.js'
import { BLOCK_SIZE, Slab } from '../scan/memory.js'
import { findByte, findWith, hasRoom, type EndsRoom, type Found } from '../scan/scan.js'

/** Smaller blocks are copied, too: each would keep a whole slab. */
const MIN_IN_PLACE = BLOCK_SIZE / 4
/** For the ends of lines. */
const ENDS_SIZE = 64 * 1024
const U32 = Uint32Array.BYTES_PER_ELEMENT

/** Where a line is in its input. */
export interface LinePlace {
  /** The path, if the input is a file. */
  readonly file: string | undefined
  readonly line: number
  /** In bytes, without compression. */
  readonly offset: number
}

export class LineScanner {
  readonly #lineEnd: LineEnd
  readonly #format: LineFormat
  /** Where the next line is in its input. */
  #file: string | undefined
  #line = 1
  #offset = 0
  /** Where blocks are copied to, one behind the other. */
  #copies: Slab | undefined
  #copied = 0
  /** Where ends are written, one behind the other; from `#endsAt` on they are of lines that have not been cut. */
  #ends: Slab | undefined
  #endsAt = 0
  #known = 0
  /** What is to be copied of the block. */
  #rest = NO_BYTES
  /** The lines at hand: where the next one begins, up to where their ends are known, and where they end. */
  #slab: Slab | undefined
  #start = 0
  #scanned = 0
  #end = 0
  #isAscii = true
  #hasReturns = false
  #isOpen = false

  constructor(lineEnd: LineEnd, format: LineFormat) {
    this.#lineEnd = lineEnd
    this.#format = format
  }

  /** Where the next line begins, as far as it is known: behind the last one that was cut. */
  get next(): LinePlace {
    return { file: this.#file, line: this.#line, offset: this.#offset }
  }

  /** Whether all lines of the block have been cut. */
  get isEmpty(): boolean {
    return this.#slab === undefined && this.#rest.length === 0
  }

  /**
   * Takes the next block of whole lines, once all of the last have been cut. Only the last line may have no end.
   *
   * @param place Where its first line is.
   */
  feed(block: Buffer, { file, line, offset }: LinePlace): void {
    this.#file = file
    this.#line = line
    this.#offset = offset
    const slab = block.length < MIN_IN_PLACE ? undefined : Slab.of(block)
    slab?.retain()
    if (slab === undefined) this.#rest = block
    else this.#use(slab, block.byteOffset, block.length)
  }

  /** The next lines, from one to `max`; undefined when the block has none. The caller owns them. */
  cut(max: number): HeldSegment | undefined {
    const slab = this.#slab ?? this.#copyNext()
    if (slab === undefined) return undefined
    const ends = this.#scan(slab)
    const count = Math.min(max, this.#known)
    const hasLast = this.#scanned === this.#end && count === this.#known
    const [last = 0] = new Uint32Array(ends.buffer, this.#endsAt + (count - 1) * U32, 1)
    const end = Math.min(last, this.#end)
    slab.retain()
    ends.retain()
    const segment: HeldSegment = {
      format: this.#format,
      file: this.#file,
      record: this.#line,
      offset: this.#offset,
      line: undefined,
      lineAt: 0,
      memory: slab.buffer,
      start: this.#start,
      end,
      ends: ends.buffer,
      endsAt: this.#endsAt,
      count,
      isAscii: this.#isAscii,
      hasReturns: this.#hasReturns,
      isOpen: hasLast && this.#isOpen,
      bytesIn: slab,
      endsIn: ends,
    }
    this.#line += count
    this.#offset += end - this.#start
    this.#start = end
    this.#endsAt += count * U32
    this.#known -= count
    if (end === this.#end) this.#leave()
    return segment
  }

  /** Forgets the lines that have not been cut. Nothing more is scanned. */
  close(): void {
    this.#leave()
    this.#rest = NO_BYTES
    this.#known = 0
    this.#copies?.release()
    this.#copies = undefined
    this.#ends?.release()
    this.#ends = undefined
  }

  #use(slab: Slab, start: number, length: number): Slab {
    this.#slab = slab
    this.#start = this.#scanned = start
    this.#end = start + length
    this.#isAscii = true
    this.#hasReturns = this.#isOpen = false
    return slab
  }

  #leave(): void {
    this.#slab?.release()
    this.#slab = undefined
  }

  /** Finds the ends of at least one line of the block, which has one, if none is known. @returns Where they are. */
  #scan(slab: Slab): Slab {
    let ends = this.#ends
    while (ends === undefined || this.#known === 0) {
      if (ends === undefined || !hasRoom({ slab: ends, at: this.#endsAt })) {
        ends?.release()
        ends = this.#ends = Slab.take(ENDS_SIZE)
        this.#endsAt = ends.start
      }
      const found = this.#find(slab, { slab: ends, at: this.#endsAt })
      this.#scanned += found.scanned
      this.#known = found.count
      // A line may have begun in what was scanned before.
      this.#isAscii &&= found.isAscii
      this.#hasReturns ||= found.hasReturns
      if (this.#scanned === this.#end) this.#endLast(ends)
    }
    return ends
  }

  #find(slab: Slab, room: EndsRoom): Found {
    const { byte } = this.#lineEnd
    if (byte !== undefined) return findByte(slab, this.#scanned, this.#end, byte, room)
    const block = Buffer.from(slab.buffer, this.#scanned, this.#end - this.#scanned)
    return findWith((start) => Math.max(0, this.#lineEnd.find(block, start)), block, this.#scanned, room)
  }

  /** The last line may have no delimiter: its end is where that would end. There is room for it. */
  #endLast({ buffer }: Slab): void {
    const ends = new Uint32Array(buffer, this.#endsAt, this.#known + 1)
    const last = this.#known === 0 ? this.#start : ends[this.#known - 1]
    if (last === this.#end) return
    ends[this.#known++] = this.#end + this.#lineEnd.length
    this.#isOpen = true
  }

  /** Copies the next lines of a block, as many as fit into a slab behind others or else into a new one. */
  #copyNext(): Slab | undefined {
    const rest = this.#rest
    if (rest.length === 0) return undefined
    let slab = this.#copies
    let length = slab === undefined ? 0 : this.#linesIn(rest, slab.start + slab.size - this.#copied)
    if (slab === undefined || length === 0) {
      slab?.release()
      // A line that is longer than a slab has a separate one.
      length = this.#linesIn(rest, BLOCK_SIZE) || this.#lineEnd.after(rest, 0)
      slab = this.#copies = Slab.take(Math.max(BLOCK_SIZE, length))
      this.#copied = slab.start
    }
    const start = this.#copied
    this.#copied += length
    this.#rest = rest.subarray(length)
    // Not `copy()`: where memory is shared that goes byte by byte, unless source and target happen to be aligned alike.
    Buffer.from(slab.buffer).fill(rest.subarray(0, length), start, this.#copied)
    slab.retain()
    return this.#use(slab, start, length)
  }

  /** How many bytes of the block are whole lines and fit into the room. */
  #linesIn(block: Buffer, room: number): number {
    return block.length <= room ? block.length : this.#lineEnd.findLast(block.subarray(0, room))
  }
}
