/** The messages that are not in `lib/wire/`: results as outcomes, cancels, and what hosts tell of themselves. */
import { Encoded, type Batch } from '../codec/batch.js'
import { RecordBatch } from '../codec/records/record-batch.js'
import type { RecordData } from '../codec/records/record-data.js'
import { attempt, NotSerializableError } from '../errors.js'
import { ByteReader } from '../wire/byte-reader.js'
import { ByteWriter } from '../wire/byte-writer.js'
import { decodeData } from '../wire/data.js'
import { thrownBy } from '../wire/error-envelope.js'
import { FORMAT } from '../wire/format.js'
import { readHead, writeHead, type Head } from '../wire/head.js'
import { valuesOf, type Result } from '../wire/result.js'
import { WireError } from '../wire/wire-error.js'
import { failures, type Outcomes } from './sendable.js'

/** In the second byte of a message: see `wire/format.ts`. */
const CANCEL = 3

/** A stream has ended. The token keeps others of the same name from ending it. */
export function encodeCancel(token: Uint8Array, run: number): Uint8Array {
  const out = new ByteWriter()
  writeHead(out, CANCEL, { token, run, unit: 0 })
  return out.written
}

/** Undefined: it is not a cancel. */
export function decodeCancel(bytes: Uint8Array): Pick<Head, 'token' | 'run'> | undefined {
  return attempt(() => readHead(new ByteReader(bytes), CANCEL))
}

/**
 * The outcomes of a result. Values that cannot be read are errors of their items.
 *
 * @param bytes Those of its body; undefined if they cannot be unpacked.
 * @param start The place of the unit's first item.
 */
export function outcomesOf(result: Result, bytes: Uint8Array | undefined, start: number, worker: number): Outcomes {
  const { from, places, count, counts, isFolded, time, host, body } = result
  try {
    return {
      from: from + start,
      chunkOffsets: places?.map((place) => place + start),
      count,
      results: valuesIn(bytes, valuesOf(result)),
      counts,
      isFolded,
      errors: new Map(result.errors.map(([offset, error]) => [offset, thrownBy(error)])),
      worker,
      host,
      time,
      bytes: body.length,
    }
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause
    const unread = failures(from + start, new Array(count).fill(unreadable('results', cause)), worker)
    return { ...unread, chunkOffsets: places?.map((place) => place + start), host, time }
  }
}

/**
 * The values of a body. Lines stay bytes, and know where they are in their input.
 *
 * @param bytes Those of the body; undefined if they cannot be unpacked.
 * @throws WireError
 */
export function valuesIn(bytes: Uint8Array | undefined, count: number): Batch {
  if (bytes === undefined) throw new WireError('its body has another length', 0)
  const data = decodeData(bytes, count)
  if ((data as Partial<RecordData>).kind !== 'bytes') return new Encoded(count, data, bytes.length)
  const { segments } = data as RecordData
  return new RecordBatch(
    segments.map((segment) => {
      const ends = new Uint32Array(segment.ends, segment.endsAt, segment.count)
      return { ...segment, end: ends[segment.count - 1] ?? segment.start, bytesIn: UNOWNED, endsIn: UNOWNED }
    }),
  )
}

/** Memory that nobody uses again. */
const UNOWNED = { retain: (): void => undefined, release: (): void => undefined }

/** Another version of Node or of this library may know values that this one does not. */
export function unreadable(what: 'items' | 'results', cause: WireError): NotSerializableError {
  return new NotSerializableError(
    `Cannot read the ${what} that another machine has sent: ${cause.message}. Run the same versions of Node and of millrace`,
    { cause },
  )
}

/** What a host answers to the question who is there. */
export interface HostInfo {
  readonly name: string
  readonly group: string
  /** Of the wire format. */
  readonly format: number
  readonly slots: number
  /** How many units it holds. */
  readonly held: number
  readonly isDraining: boolean
  /** The modules that it offers, as `key@version`. */
  readonly modules: readonly string[]
}

export function encodeHost(info: Omit<HostInfo, 'format'>): Uint8Array {
  return Buffer.from(JSON.stringify({ ...info, format: FORMAT }))
}

/** Undefined: it is not the answer of a host. */
export function decodeHost(bytes: Uint8Array): HostInfo | undefined {
  const info = Object(attempt(() => JSON.parse(Buffer.from(bytes).toString()) as unknown)) as Partial<HostInfo>
  const isInfo = typeof info.name === 'string' && Array.isArray(info.modules) && info.modules.every(isString)
  return isInfo ? (info as HostInfo) : undefined
}

function isString(value: unknown): boolean {
  return typeof value === 'string'
}
