/** A unit as a message: its items, with all that hosts have to know of the stream's job. */
import { encodeError } from '../codec/error-codec/encode.js'
import type { Job } from '../executor/executor.js'
import type { TaskName } from '../task.js'
import { deflatedBody, MIN_DEFLATED } from '../wire/body.js'
import { TooLargeError } from '../wire/byte-writer.js'
import type { Head } from '../wire/head.js'
import { encodeUnit, type Unit } from '../wire/unit.js'
import type { Sendable } from './sendable.js'

export type Compression = 'none' | 'deflate'
export type RemoteJob = Job & { readonly name: TaskName }

export interface UnitOptions
  extends Head, Pick<Unit, 'eager' | 'first' | 'count' | 'traceparent'>, Pick<Sendable, 'failed'> {
  /** The items. */
  readonly body: Sendable['body']
  readonly compression: Compression
}

export function unitOf(job: RemoteJob, { failed, body, compression, ...own }: UnitOptions): Unit {
  const { name, kind, spread = false, initial, ordered, stopOnError, concurrency, timeout } = job
  const errors = [...failed].sort(([one], [other]) => one - other)
  return {
    ...own,
    ...{ kind, spread, ordered, stopOnError, concurrency, timeout },
    task: name.id,
    exported: name.exported,
    failed: errors.map(([position, error]) => [position, encodeError(error)]),
    initial: kind === 'reduce' ? { value: initial } : undefined,
    body: compression === 'deflate' ? { ...body, isDeflateWelcome: true } : body,
  }
}

/** Undefined: it is too large. */
export function messageOf(unit: Unit): Uint8Array | undefined {
  try {
    return encodeUnit(unit)
  } catch (error) {
    if (error instanceof TooLargeError) return undefined
    throw error
  }
}

/** The same, compressed on another thread; undefined if that would not make it shorter. */
export function packedMessageOf(unit: Unit): Promise<Uint8Array | undefined> | undefined {
  const { isDeflateWelcome, bytes } = unit.body
  return isDeflateWelcome === true && bytes.length >= MIN_DEFLATED ? packed(unit) : undefined
}

async function packed(unit: Unit): Promise<Uint8Array | undefined> {
  const body = await deflatedBody(unit.body.bytes)
  return body.isDeflated ? messageOf({ ...unit, body }) : undefined
}
