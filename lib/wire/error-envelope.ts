/** Thrown values, as the codec encodes them: see `envelope` in `format.ts`. */
import { BUILT_IN } from '../codec/error-classes.js'
import { decodeError } from '../codec/error-codec/decode.js'
import { encodeError, MAX_ERRORS } from '../codec/error-codec/encode.js'
import type { EncodedError, EncodedValue, ErrorField, OneError } from '../codec/error-codec/types.js'
import { NotSerializableError } from '../errors.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import { CONTENT, FIELD, HAS_OF_ENVELOPE as HAS } from './format.js'
import { ValueReader } from './value-reader.js'
import { ValueWriter } from './value-writer.js'

/** Classes of the language that every version of Node has. */
const EVERYWHERE = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'DOMException',
]
const MAX_KINDS = 64

/** Fields that cannot leave this machine are left out, as those that cannot be cloned are. */
export function writeError(out: ByteWriter, error: EncodedError): void {
  const start = out.position
  if (!writeContent(out, error.thrown, false)) {
    out.rewind(start)
    writeError(out, encodeError(new Error('Cannot return what was thrown as it cannot be sent to another machine')))
    return
  }
  out.varint(error.errors.length)
  for (const one of error.errors) writeOne(out, one)
}

/** @returns Whether it could be written. If not, what it has written is to be taken back. */
function writeContent(out: ByteWriter, content: EncodedValue, mayBeList: boolean): boolean {
  if ('error' in content) {
    out.u8(CONTENT.error)
    out.varint(content.error)
    return true
  }
  if ('list' in content) {
    if (!mayBeList) return false
    out.u8(CONTENT.list)
    out.varint(content.list.length)
    return content.list.every((each) => writeContent(out, each, false))
  }
  out.u8(CONTENT.value)
  try {
    new ValueWriter(out).write(content.value, 'a field of an error')
    return true
  } catch (error) {
    if (error instanceof NotSerializableError) return false
    throw error
  }
}

function writeOne(out: ByteWriter, { kinds, name, message, stack, fields }: OneError): void {
  out.countObjects(1)
  const all = EVERYWHERE.includes(kinds.at(-1) ?? '') ? kinds : [...kinds, 'Error']
  const sent = all.slice(-MAX_KINDS)
  out.varint(sent.length)
  for (const kind of sent) out.string(kind)
  const has = (text: string | undefined, bit: number): number => (text === undefined ? 0 : bit)
  out.u8(has(name, HAS.name) | has(message, HAS.message) | has(stack, HAS.stack))
  for (const text of [name, message, stack]) if (text !== undefined) out.string(text)
  for (const { key, hidden, content } of fields) {
    const start = out.position
    out.u8(hidden ? FIELD.hidden : FIELD.shown)
    out.string(key)
    if (!writeContent(out, content, true)) out.rewind(start)
  }
  out.u8(FIELD.none)
}

export function readError(input: ByteReader): EncodedError {
  const thrown = readContent(input, false)
  const count = input.count()
  if (count > MAX_ERRORS) throw input.fault(`there are more than ${MAX_ERRORS} errors`)
  const errors: OneError[] = []
  for (let at = 0; at < count; at++) errors.push(readOne(input))
  assertNumbers(input, thrown, count)
  for (const { fields } of errors) for (const { content } of fields) assertNumbers(input, content, count)
  return { thrown, errors }
}

function readContent(input: ByteReader, mayBeList: boolean): EncodedValue {
  const kind = input.choice('content of an error', mayBeList ? CONTENT.list : CONTENT.error)
  if (kind === CONTENT.error) return { error: input.varint() }
  if (kind === CONTENT.value) return { value: new ValueReader(input).read() }
  const count = input.count()
  const list: EncodedValue[] = []
  for (let at = 0; at < count; at++) list.push(readContent(input, false))
  return { list }
}

function assertNumbers(input: ByteReader, content: EncodedValue, count: number): void {
  if ('error' in content && content.error >= count) throw input.fault('an error is missing')
  if ('list' in content) for (const each of content.list) assertNumbers(input, each, count)
}

function readOne(input: ByteReader): OneError {
  input.countObjects(1)
  const kinds = readKinds(input)
  const parts = input.choice('part of an error', HAS.name | HAS.message | HAS.stack)
  const [name, message, stack] = [HAS.name, HAS.message, HAS.stack].map((bit) =>
    parts & bit ? input.string() : undefined,
  )
  const fields: ErrorField[] = []
  for (let kind = readKind(input); kind !== FIELD.none; kind = readKind(input)) {
    fields.push({ key: input.string(), hidden: kind === FIELD.hidden, content: readContent(input, true) })
  }
  return { kinds, name, message, stack, fields }
}

function readKind(input: ByteReader): number {
  return input.choice('kind of field', FIELD.hidden)
}

/** Up to the first class of the language. Other names mean something only if this thread has such a class. */
function readKinds(input: ByteReader): string[] {
  const count = input.varint()
  if (count > MAX_KINDS) throw input.fault(`an error has more than ${MAX_KINDS} classes`)
  const kinds: string[] = []
  for (let at = 0; at < count; at++) kinds.push(input.string())
  const known = kinds.findIndex((kind) => Object.hasOwn(BUILT_IN, kind))
  if (known < 0) throw input.fault('an error is of no class of the language')
  return kinds.slice(0, known + 1)
}

/** The errors of some items, by their offset among the items of a message, ascending. */
export type ErrorsByOffset = readonly (readonly [offset: number, error: EncodedError])[]

export function writeErrors(out: ByteWriter, errors: ErrorsByOffset): void {
  out.varint(errors.length)
  for (const [offset, error] of errors) {
    out.varint(offset)
    writeError(out, error)
  }
}

export function readErrors(input: ByteReader, items: number): ErrorsByOffset {
  const count = input.count()
  const errors: [offset: number, error: EncodedError][] = []
  let last = -1
  for (let at = 0; at < count; at++) {
    const offset = input.varint()
    if (offset <= last || offset >= items) throw input.fault('an error is of no item, or not in its place')
    last = offset
    errors.push([offset, readError(input)])
  }
  return errors
}

/** The thrown value. It calls no code of the user, and makes no shared objects. */
export function thrownBy(error: EncodedError): unknown {
  return decodeError(error, (value) => value)
}
