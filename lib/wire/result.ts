/** A result: a part, which is some outcomes of a unit. See `result` in `format.ts`. */
import type { EncodedError } from '../codec/error-codec/types.js'
import { readBody, withBody, type Body } from './body.js'
import { ByteReader } from './byte-reader.js'
import { ByteWriter } from './byte-writer.js'
import { readError, readErrors, writeError, writeErrors, type ErrorsByOffset } from './error-envelope.js'
import { RESULT } from './format.js'
import { readHead, writeHead, type Head } from './head.js'

const FLAG = { last: 1, lost: 2, folded: 4, unread: 8, places: 16, counts: 32, fault: 64 } as const
const ALL_FLAGS = 127
const MAX_COUNT = 2 ** 32 - 1

export interface Result extends Head {
  /** Counts the results of a unit. */
  readonly part: number
  /** The offset in the unit of the first outcome; the others follow it, unless `places` says where they belong. */
  readonly from: number
  /** How many items have their outcomes here. */
  readonly count: number
  readonly places: readonly number[] | undefined
  /** How many results each item has; undefined: one each, unless the result is folded. */
  readonly counts: Uint32Array | undefined
  /** Of failed items, by their offset in the result. */
  readonly errors: ErrorsByOffset
  /** The error of every item of the unit that has no outcome yet. */
  readonly fault: EncodedError | undefined
  /** Whether the fault is that the items could not be read, or their task not be loaded. */
  readonly isUnread: boolean
  /** Whether the unit was given up: it was delivered too often. */
  readonly isLost: boolean
  /** Whether the items have one result together, that of a fold in which none has failed. */
  readonly isFolded: boolean
  /** Whether it is the last result of its unit. */
  readonly isLast: boolean
  /** How long the unit has run so far, in milliseconds. */
  readonly time: number
  /** The number of the worker on its host, and the name of the host. */
  readonly worker: number
  readonly host: string
  /** The values. */
  readonly body: Body
}

/** How many values its body has. */
export function valuesOf({ isFolded, counts, count }: Pick<Result, 'isFolded' | 'counts' | 'count'>): number {
  if (isFolded) return 1
  let sum = count
  if (counts !== undefined) {
    sum = 0
    for (const each of counts) sum += each
  }
  return sum
}

/** @throws TooLargeError */
export function encodeResult(result: Result): Uint8Array {
  const { places, counts, fault, body } = result
  const out = new ByteWriter()
  writeHead(out, RESULT, result)
  out.varint(result.part)
  out.varint(result.from)
  out.varint(result.count)
  const flag = (isSet: boolean, bit: number): number => (isSet ? bit : 0)
  out.u8(
    flag(result.isLast, FLAG.last) |
      flag(result.isLost, FLAG.lost) |
      flag(result.isFolded, FLAG.folded) |
      flag(result.isUnread, FLAG.unread) |
      flag(places !== undefined, FLAG.places) |
      flag(counts !== undefined, FLAG.counts) |
      flag(fault !== undefined, FLAG.fault),
  )
  for (const place of places ?? []) out.varint(place)
  for (const count of counts ?? []) out.varint(count)
  writeErrors(out, result.errors)
  if (fault !== undefined) writeError(out, fault)
  out.f64(result.time)
  out.varint(result.worker)
  out.string(result.host)
  return withBody(out, body)
}

/**
 * Reads a result, if it is one of ours.
 *
 * @param itemsOf How many items the unit has; undefined if it is not ours, or has all its outcomes. Little has been
 *   read by then.
 * @returns Undefined for a result that is not ours.
 * @throws WireError
 */
export function decodeResult(bytes: Uint8Array, itemsOf: (head: Head) => number | undefined): Result | undefined {
  const input = new ByteReader(bytes)
  const head = readHead(input, RESULT)
  const items = itemsOf(head)
  if (items === undefined) return undefined
  const part = input.varint()
  const from = input.varint()
  const count = input.varint()
  const flags = input.choice('property of a result', ALL_FLAGS)
  const has = (bit: number): boolean => (flags & bit) !== 0
  const isFolded = has(FLAG.folded)
  if (from + count > items) throw input.fault('it has outcomes of items that its unit does not have')
  if (isFolded && (has(FLAG.places) || has(FLAG.counts))) throw input.fault('a fold has results of its items')
  const places = has(FLAG.places) ? readPlaces(input, count, items) : undefined
  const counts = has(FLAG.counts) ? readCounts(input, count) : undefined
  const errors = readErrors(input, count)
  const fault = has(FLAG.fault) ? readError(input) : undefined
  const time = input.f64()
  if (!(time >= 0)) throw input.fault('a time is below zero')
  return {
    ...head,
    part,
    from,
    count,
    places,
    counts,
    errors,
    fault,
    isUnread: has(FLAG.unread),
    isLost: has(FLAG.lost),
    isFolded,
    isLast: has(FLAG.last),
    time,
    worker: input.varint(),
    host: input.string(),
    body: readBody(input),
  }
}

function readPlaces(input: ByteReader, count: number, items: number): number[] {
  input.assertLeft(count)
  const places = new Set<number>()
  for (let at = 0; at < count; at++) {
    const place = input.varint()
    if (place >= items || places.has(place)) throw input.fault('an outcome is of no item, or stands twice')
    places.add(place)
  }
  return [...places]
}

function readCounts(input: ByteReader, count: number): Uint32Array {
  input.assertLeft(count)
  const counts = new Uint32Array(count)
  for (let at = 0; at < count; at++) {
    const results = input.varint()
    if (results > MAX_COUNT) throw input.fault('an item has too many results')
    counts[at] = results
  }
  return counts
}
