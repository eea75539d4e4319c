/**
 * Values as bytes, by structured clone. Shared objects (locks, shared memory) are refused: bytes in a queue may live
 * longer than every thread that could keep these objects.
 */
import { pointAtCaller } from '../../call-site.js'
import { nestsDeeperThan, unclonablePart } from '../../codec/clonable.js'
import { pack, unpack, type Data } from '../../codec/codec.js'
import { decodeError } from '../../codec/error-codec/decode.js'
import { encodeError } from '../../codec/error-codec/encode.js'
import type { EncodedError } from '../../codec/error-codec/types.js'
import { isError } from '../../codec/error-codec/inspect.js'
import { MAX_DEPTH } from '../../codec/limits.js'
import { SharingCheck } from '../../codec/sharing-check.js'
import { isErrorObject, NotSerializableError } from '../../errors.js'
import { FORM } from './clone-bytes.js'

/**
 * The contents of the bytes. A value; or an encoded error, because a clone would lose its fields; or a packed value,
 * which must be unpacked.
 */
const VALUE = 0
const ERROR = 1
const PACK = 2

/** `action`: the start of the error text ("put an item in a queue"). */
export function toBytes(action: string, value: unknown): Uint8Array {
  const isEncoded = isError(value)
  try {
    const { data, shared } = isEncoded ? encodeThrown(value) : pack([value])
    const [first] = shared ?? []
    if (first !== undefined) throw refused(action, `it holds an object that threads share (${first.constructor.name})`)
    const isBare = !isEncoded && Array.isArray(data)
    return FORM.write(isEncoded ? ERROR : isBare ? VALUE : PACK, isBare ? data[0] : data)
  } catch (cause) {
    if (cause instanceof NotSerializableError) throw cause
    if (!isEncoded && nestsDeeperThan(MAX_DEPTH, value))
      throw refused(action, `it nests more than ${MAX_DEPTH} levels deep`)
    const [reason = ''] = (isErrorObject(cause) ? cause.message : String(cause)).split('\n', 1)
    throw refused(action, unclonablePart(value, 'item') ?? `it cannot be copied (${reason})`, cause)
  }
}

function encodeThrown(error: unknown): { data: EncodedError; shared: SharingCheck['shared'] } {
  const walk = new SharingCheck()
  walk.isIndependent(error)
  return { data: encodeError(error), shared: walk.shared }
}

export function fromBytes(bytes: Uint8Array): unknown {
  const { kind, value } = FORM.read(bytes)
  if (kind === ERROR) return decodeError(value as EncodedError)
  return kind === PACK ? unpack(value as Data)[0] : value
}

function refused(action: string, reason: string, cause?: unknown): NotSerializableError {
  const message = `Cannot ${action} as ${reason}: put plain data, and pass shared objects in arguments`
  return pointAtCaller(new NotSerializableError(message, cause === undefined ? undefined : { cause }))
}
