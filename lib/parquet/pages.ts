/**
 * Looks through the pages of a column before the package decodes them. It trusts their headers, so a damaged number
 * could make it fill the memory. Each page must be within the column, and have no more values than that. Checksums are
 * compared where pages have them.
 */
import * as zlib from 'node:zlib'
import type { Decompress } from './package.js'
import { checkRuns } from './runs.js'

/** What the footer says of a column of a row group. */
export interface ColumnBounds {
  /** How many values it has. */
  readonly values: number
  /** The most bytes that a page can have, uncompressed. */
  readonly size: number
  readonly type: string | undefined
  /** How many of the elements above a value may be missing, and how many may be repeated. */
  readonly definition: number
  readonly repetition: number
}

/** The types of the compact protocol of Thrift. */
const [STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
] as const
const MAX_DEPTH = 16

const DATA_PAGE = 0
const DICTIONARY_PAGE = 2
const DATA_PAGE_V2 = 3

/** @throws Error that says what is wrong. */
export function checkPages(bytes: Uint8Array, bounds: ColumnBounds, decompress: Decompress): void {
  const { values, size } = bounds
  const reader = new HeaderReader(bytes)
  let seen = 0
  while (reader.at < bytes.length) {
    const header = reader.struct(0)
    const [type, uncompressed, compressed] = [numberIn(header, 1), numberIn(header, 2), numberIn(header, 3)]
    if (uncompressed < 0 || uncompressed > size) throw new Error(`a page has ${uncompressed} bytes, of ${size}`)
    const end = reader.at + compressed
    if (compressed < 0 || end > bytes.length) throw new Error('a page ends behind its column')
    const checksum = header.get(4)
    if (typeof checksum === 'number' && crc32 !== undefined && crc32(bytes.subarray(reader.at, end)) !== checksum >>> 0)
      throw new Error('the checksum of a page is wrong')
    const own = header.get({ [DATA_PAGE]: 5, [DICTIONARY_PAGE]: 7, [DATA_PAGE_V2]: 8 }[type] ?? -1)
    if (own instanceof Map) {
      const count = numberIn(own as Fields, 1)
      if (type === DICTIONARY_PAGE) {
        if (count < 0 || count > uncompressed) throw new Error(`a dictionary has ${count} entries`)
      } else {
        seen += count
        if (count < 0 || seen > values) throw new Error(`its pages have more than ${values} values`)
        const page = bytes.subarray(reader.at, end)
        if (type === DATA_PAGE) checkPage(decompress(page, uncompressed), own as Fields, bounds)
        else if (type === DATA_PAGE_V2) checkPageV2(page, uncompressed, own as Fields, bounds, decompress)
      }
    }
    reader.at = end
  }
  if (seen !== values) throw new Error(`its pages have ${seen} values, not ${values}`)
}

/** The encodings whose values are runs. */
const RLE = 3
const DICTIONARIES = [2, 8]
/** The most bits of a position in a dictionary. */
const MAX_WIDTH = 32

function checkPage(page: Uint8Array, header: Fields, { type, definition, repetition }: ColumnBounds): void {
  const count = numberIn(header, 1)
  const view = new DataView(page.buffer, page.byteOffset, page.length)
  let at = 0
  for (const level of [repetition, definition]) {
    if (level === 0) continue
    const end = at + 4 + view.getUint32(at, true)
    checkRuns(page, at + 4, Math.min(end, page.length), bitsOf(level), count)
    at = end
  }
  checkValues(page, at, numberIn(header, 2), type, count)
}

function checkPageV2(
  page: Uint8Array,
  uncompressed: number,
  header: Fields,
  { type, definition, repetition }: ColumnBounds,
  decompress: Decompress,
): void {
  const [count, nulls] = [numberIn(header, 1), numberIn(header, 2)]
  const [definitions, repetitions] = [numberIn(header, 5), numberIn(header, 6)]
  const start = definitions + repetitions
  if (nulls < 0 || nulls > count || definitions < 0 || repetitions < 0 || start > page.length)
    throw new Error('the header of a page is wrong')
  if (repetition > 0) checkRuns(page, 0, repetitions, bitsOf(repetition), count)
  if (definition > 0) checkRuns(page, repetitions, start, bitsOf(definition), count)
  const rest = page.subarray(start)
  const isPlain = header.get(7) === false || uncompressed === start
  checkValues(isPlain ? rest : decompress(rest, uncompressed - start), 0, numberIn(header, 4), type, count, true)
}

function checkValues(
  page: Uint8Array,
  at: number,
  encoding: number,
  type: string | undefined,
  count: number,
  isV2 = false,
): void {
  if (encoding === RLE) checkRuns(page, type === 'BOOLEAN' ? at + 4 : at, page.length, 1, count)
  if (!DICTIONARIES.includes(encoding) || at >= page.length) return
  const width = page[at] ?? 0
  // Then version 1 has no runs.
  if (width === 0 && !isV2) return
  if (width > MAX_WIDTH) throw new Error(`a position in a dictionary has ${width} bits`)
  checkRuns(page, at + 1, page.length, width, count)
}

function bitsOf(level: number): number {
  return 32 - Math.clz32(level)
}

/** Node 20.15 and later have it. */
const { crc32 } = zlib as { readonly crc32?: (bytes: Uint8Array) => number }

type Fields = Map<number, unknown>

function numberIn(fields: Fields, id: number): number {
  const value = fields.get(id)
  return typeof value === 'number' ? value : -1
}

/** Reads structs: numbers and structs in them by their ids. Other fields are passed over. */
class HeaderReader {
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  struct(depth: number): Fields {
    if (depth > MAX_DEPTH) throw new Error('the header of a page nests too deep')
    const fields: Fields = new Map()
    let id = 0
    for (let head = this.#byte(); (head & 15) !== STOP; head = this.#byte()) {
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4)
      fields.set(id, this.#value(head & 15, depth))
    }
    return fields
  }

  #value(type: number, depth: number): unknown {
    switch (type) {
      case TRUE:
        return true
      case FALSE:
        return false
      case BYTE:
        return this.#byte()
      case I16:
      case I32:
      case I64:
        return this.#zigzag()
      case DOUBLE:
        this.#skip(8)
        return undefined
      case BINARY:
        this.#skip(this.#varint())
        return undefined
      case LIST:
      case SET:
        this.#list(depth)
        return undefined
      case STRUCT:
        return this.struct(depth + 1)
      case MAP:
      default:
        throw new Error('the header of a page cannot be read')
    }
  }

  #list(depth: number): void {
    const head = this.#byte()
    const type = head & 15
    const count = head >> 4 === 15 ? this.#varint() : head >> 4
    for (let i = 0; i < count; i++) {
      if (type === TRUE || type === FALSE) this.#byte()
      else this.#value(type, depth + 1)
    }
  }

  #skip(count: number): void {
    this.at += count
    if (this.at > this.#bytes.length) throw new Error('the header of a page is cut')
  }

  #byte(): number {
    const byte = this.#bytes[this.at++]
    if (byte === undefined) throw new Error('the header of a page is cut')
    return byte
  }

  /** Exact below 2^53, which sizes and counts are. */
  #varint(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.#byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
      factor *= 128
      if (factor > 2 ** 70) throw new Error('the header of a page has a number that is too long')
    }
  }

  #zigzag(): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
