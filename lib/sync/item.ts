/**
 * Values as bytes: as structured clone writes them. Not what threads share (locks, shared memory): bytes in a queue may outlive
 * every thread that could keep it.
 */
import { Deserializer, Serializer } from 'node:v8'
import { nestsDeeperThan, unclonablePart } from '../codec/clonable.js'
import { openError, sealError, type Envelope } from '../codec/envelope.js'
import { isError } from '../codec/thrown.js'
import { DEEPEST, Walk } from '../codec/walk.js'
import { isErrorObject, NotSerializableError } from '../errors.js'

/** What the bytes are of: a value; or an error, sealed, since a clone would lose its fields. */
const VALUE = 0
const ERROR = 1

/** `action` opens the error text ("put an item in a queue"). */
export function toBytes(action: string, value: unknown): Uint8Array {
  const sealed = isError(value)
  const walk = new Walk({ named: false, deepest: DEEPEST })
  const isShallow = walk.isApart(value)
  if (walk.shared !== undefined) {
    const [first] = walk.shared
    throw refused(action, `it holds an object that threads share (${first?.constructor.name})`)
  }
  if (!sealed && !isShallow && nestsDeeperThan(DEEPEST, value)) {
    throw refused(action, `it nests more than ${DEEPEST} levels deep`)
  }
  const serializer = new Serializer()
  try {
    serializer.writeUint32(sealed ? ERROR : VALUE)
    serializer.writeHeader()
    serializer.writeValue(sealed ? sealError(value) : value)
  } catch (cause) {
    const [reason = ''] = (isErrorObject(cause) ? cause.message : String(cause)).split('\n', 1)
    throw refused(action, unclonablePart(value, 'item') ?? `it cannot be copied (${reason})`, cause)
  }
  return serializer.releaseBuffer()
}

export function fromBytes(bytes: Uint8Array): unknown {
  const deserializer = new Deserializer(bytes)
  const kind = deserializer.readUint32()
  deserializer.readHeader()
  const value: unknown = deserializer.readValue()
  return kind === ERROR ? openError(value as Envelope) : value
}

function refused(action: string, reason: string, cause?: unknown): NotSerializableError {
  const message = `Cannot ${action} as ${reason}: put plain data, and pass what threads share in arguments`
  return new NotSerializableError(message, cause === undefined ? undefined : { cause })
}
