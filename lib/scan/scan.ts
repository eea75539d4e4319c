/** Finds where records end in the bytes of a slab, and writes that behind each other into another slab. */
import { isAscii } from 'node:buffer'
import { openKernel, RESULT, type Slab } from './memory.js'

/** The most ends that one step of the kernel may find. */
const MIN_ROOM = 64
const CARRIAGE_RETURN = 13

/** Room for ends, as u32: positions in the memory of the bytes. */
export interface EndsRoom {
  readonly slab: Slab
  /** From where on in the memory of the slab: a multiple of 4. */
  readonly at: number
}

/** What was found. */
export interface Found {
  /** How many bytes were scanned: all of them, or fewer where there was no more room. */
  readonly scanned: number
  readonly count: number
  /** Whether all scanned bytes are ASCII. */
  readonly isAscii: boolean
  /** Whether there is a `\r` among them. */
  readonly hasReturns: boolean
}

/** How many ends fit behind `at`. */
export function roomFor({ slab, at }: EndsRoom): number {
  return (slab.start + slab.size - at) / 4
}

/** Whether there is room enough to go on with. */
export function hasRoom(room: EndsRoom): boolean {
  return roomFor(room) >= MIN_ROOM
}

/** Finds one byte, from position `from` up to `to` in the memory of the slab: writes the position behind each one. */
export function findByte(bytes: Slab, from: number, to: number, byte: number, room: EndsRoom): Found {
  const kernel = bytes.isScannable && room.slab.isScannable ? openKernel() : null
  if (kernel === null) return findByteSlowly(bytes, from, to, byte, room)
  const scanned = kernel.scan(from, to, byte, room.at, room.slab.start + room.slab.size, RESULT)
  const [count = 0, flags = 0] = kernel.result
  return { scanned, count, isAscii: (flags & 1) === 0, hasReturns: (flags & 2) !== 0 }
}

/** The same without the kernel. */
export function findByteSlowly(bytes: Slab, from: number, to: number, byte: number, room: EndsRoom): Found {
  const block = Buffer.from(bytes.buffer, from, to - from)
  const found = findWith((start) => block.indexOf(byte, start) + 1, block, from, room)
  return { ...found, hasReturns: block.subarray(0, found.scanned).includes(CARRIAGE_RETURN) }
}

/** Finds records by a function that tells where the one ends that begins at `start` in the block; 0 where it does not end. */
export function findWith(find: (start: number) => number, block: Buffer, from: number, room: EndsRoom): Found {
  const max = roomFor(room)
  const ends = new Uint32Array(room.slab.buffer, room.at, max)
  let count = 0
  let scanned = 0
  while (count < max && scanned < block.length) {
    const end = find(scanned)
    if (end > 0) ends[count++] = from + end
    scanned = end > 0 ? end : block.length
  }
  return { scanned, count, isAscii: isAscii(block.subarray(0, scanned)), hasReturns: false }
}
