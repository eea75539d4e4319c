/**
 * The header and trailer of a gzip member (RFC 1952). They are read and checked here, so that no text is lost with
 * them.
 */
import { crc32 } from 'node:zlib'
import type { ByteQueue } from './byte-queue.js'
import type { Damage, MemberText } from './damage.js'

const FIXED_LENGTH = 10
const DEFLATE = 8
const TRAILER_LENGTH = 8

const Flag = { headerChecksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const

export async function readGzipHeader(input: ByteQueue): Promise<Damage | undefined> {
  const start = input.offset
  const cut = (): Damage => ({ what: 'the end of the input in the header of a member', offset: input.offset })
  const fixed = await input.take(FIXED_LENGTH)
  const [mark1, mark2, method, flags = 0] = fixed
  if (mark1 !== 0x1f || (mark2 ?? 0x8b) !== 0x8b)
    return { what: 'bytes behind a member that begin no other', offset: start }
  if (method !== undefined && method !== DEFLATE) return { what: `unknown method ${method}`, offset: start + 2 }
  if ((flags & Flag.reserved) !== 0) return { what: 'unknown flags in the header of a member', offset: start + 3 }
  if (fixed.length < FIXED_LENGTH) return cut()
  let checksum = crc32(fixed)
  function see(bytes: Buffer): void {
    checksum = crc32(bytes, checksum)
  }
  if ((flags & Flag.extra) !== 0) {
    const size = await input.take(2)
    if (size.length < 2) return cut()
    const extra = await input.take(size.readUInt16LE())
    if (extra.length < size.readUInt16LE()) return cut()
    see(size)
    see(extra)
  }
  for (const flag of [Flag.name, Flag.comment]) {
    if ((flags & flag) !== 0 && !(await input.skipString(see))) return cut()
  }
  if ((flags & Flag.headerChecksum) === 0) return undefined
  const offset = input.offset
  const stored = await input.take(2)
  if (stored.length < 2) return cut()
  return stored.readUInt16LE() === (checksum & 0xffff)
    ? undefined
    : { what: 'a header whose checksum is wrong', offset }
}

export async function readGzipTrailer(input: ByteQueue, text: MemberText): Promise<Damage | undefined> {
  const offset = input.offset
  const trailer = await input.take(TRAILER_LENGTH)
  if (trailer.length < TRAILER_LENGTH) return { what: 'the end of the input inside a member', offset: input.offset }
  if (trailer.readUInt32LE() !== text.checksum)
    return { what: 'a checksum (CRC-32) that is not that of the text', offset }
  return trailer.readUInt32LE(4) === text.length % 2 ** 32
    ? undefined
    : { what: 'a length that is not that of the text', offset: offset + 4 }
}
