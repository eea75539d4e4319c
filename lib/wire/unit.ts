/** A unit: a chunk, or a part of one, with all that a host needs to run it. See `unit` in `format.ts`. */
import { unpack } from '../codec/codec.js'
import { readBody, withBody, type Body } from './body.js'
import { ByteReader } from './byte-reader.js'
import { ByteWriter } from './byte-writer.js'
import { decodeData, encodeValues } from './data.js'
import { readErrors, writeErrors, type ErrorsByOffset } from './error-envelope.js'
import { UNIT } from './format.js'
import { readHead, writeHead, type Head } from './head.js'

/** What a stream gives for an item. Their places in the list are part of the format. */
const KINDS = ['map', 'filter', 'flatMap', 'reduce'] as const

const FLAG = {
  exported: 1,
  spread: 2,
  ordered: 4,
  stopOnError: 8,
  eager: 16,
  timeout: 32,
  initial: 64,
  traceparent: 128,
} as const

export interface Unit extends Head {
  /** The id of the task, or the name of an export. Its module is told by the subject of the message. */
  readonly task: string
  /** Whether `task` is the name of an export. */
  readonly exported: boolean
  readonly kind: (typeof KINDS)[number]
  /** Whether an item is an array of arguments. */
  readonly spread: boolean
  readonly ordered: boolean
  readonly stopOnError: boolean
  /** Whether somebody waits for the first outcome: it is sent at once. */
  readonly eager: boolean
  /** How many async items may run at once within one worker. */
  readonly concurrency: number
  /** How long an item may take, in milliseconds; undefined: as long as it likes. */
  readonly timeout: number | undefined
  /** The index of the first item. */
  readonly first: number
  /** How many items. */
  readonly count: number
  /** Errors of items that are not to be run. */
  readonly failed: ErrorsByOffset
  /** Where a fold begins; undefined unless `kind` is 'reduce'. */
  readonly initial: { readonly value: unknown } | undefined
  readonly traceparent: string | undefined
  /** The items. */
  readonly body: Body
}

/** @throws NotSerializableError for `initial`. TooLargeError. */
export function encodeUnit(unit: Unit): Uint8Array {
  const { timeout, initial, traceparent } = unit
  const out = new ByteWriter()
  writeHead(out, UNIT, unit)
  out.u8(KINDS.indexOf(unit.kind))
  const flag = (isSet: boolean, bit: number): number => (isSet ? bit : 0)
  out.u8(
    flag(unit.exported, FLAG.exported) |
      flag(unit.spread, FLAG.spread) |
      flag(unit.ordered, FLAG.ordered) |
      flag(unit.stopOnError, FLAG.stopOnError) |
      flag(unit.eager, FLAG.eager) |
      flag(timeout !== undefined, FLAG.timeout) |
      flag(initial !== undefined, FLAG.initial) |
      flag(traceparent !== undefined, FLAG.traceparent),
  )
  out.string(unit.task)
  out.varint(unit.concurrency)
  if (timeout !== undefined) out.f64(timeout)
  out.varint(unit.first)
  out.varint(unit.count)
  writeErrors(out, unit.failed)
  if (initial !== undefined) out.bytes(encodeValues([initial.value]))
  if (traceparent !== undefined) out.string(traceparent)
  return withBody(out, unit.body)
}

/** @throws WireError */
export function decodeUnit(bytes: Uint8Array): Unit {
  const input = new ByteReader(bytes)
  const head = readHead(input, UNIT)
  const kind = KINDS[input.choice('kind of job', KINDS.length - 1)] ?? 'map'
  const flags = input.u8()
  const has = (bit: number): boolean => (flags & bit) !== 0
  if (has(FLAG.initial) !== (kind === 'reduce')) throw input.fault('where a fold begins is told of folds alone')
  const task = input.string()
  const concurrency = input.varint()
  if (concurrency === 0) throw input.fault('it may run no item')
  const timeout = has(FLAG.timeout) ? input.f64() : undefined
  if (timeout !== undefined && !(timeout > 0)) throw input.fault('a time limit is not above zero')
  const first = input.varint()
  const count = input.varint()
  if (count === 0 || !Number.isSafeInteger(first + count)) throw input.fault('it has no items, or too many')
  const failed = readErrors(input, count)
  const initial = has(FLAG.initial) ? { value: unpack(decodeData(input.bytes(), 1))[0] } : undefined
  const traceparent = has(FLAG.traceparent) ? input.string() : undefined
  return {
    ...head,
    task,
    exported: has(FLAG.exported),
    kind,
    spread: has(FLAG.spread),
    ordered: has(FLAG.ordered),
    stopOnError: has(FLAG.stopOnError),
    eager: has(FLAG.eager),
    concurrency,
    timeout,
    first,
    count,
    failed,
    initial,
    traceparent,
    body: readBody(input),
  }
}
