/**
 * Makes values of JavaScript of what the package gives for a column. Nothing changes on the way: a number that a double
 * cannot hold becomes a BigInt, and a decimal a string. Times are cut to milliseconds.
 */
import { isUtf8 } from 'node:buffer'
import type { LeafKind, Shape } from './shape.js'

/** Makes a value. Throws if there is none. */
export type Convert = (given: unknown) => unknown

const BIG_MAX = BigInt(Number.MAX_SAFE_INTEGER)
/** From here on, two decimals may be one double. */
const DECIMAL_LIMIT = 10n ** 15n
/** Powers of ten up to this one are doubles. */
const MAX_EXACT_SCALE = 22
/** The latest time of a `Date`, in milliseconds before or after 1970. */
const MAX_TIME = 8.64e15
const MAX_TIME_BIG = BigInt(MAX_TIME)
const DAY_MS = 86_400_000
const REPLACEMENT = '\ufffd'

/** Undefined: values stay as they are, and what is missing is null. */
export function converterOf(shape: Shape): Convert | undefined {
  switch (shape.kind) {
    case 'same':
    case 'text':
      return undefined
    case 'decimal': {
      const { scale } = shape
      return orNull((given) => decimal(given, scale))
    }
    case 'list': {
      const of = converterOf(shape.of) ?? nullable
      return orNull((given) => Array.from(given as ArrayLike<unknown>, of))
    }
    case 'inner': {
      const of = converterOf(shape.of) ?? nullable
      return orNull((given) => of((given as { c0?: unknown }).c0))
    }
    case 'map': {
      const [key, value] = [converterOf(shape.key) ?? nullable, converterOf(shape.value) ?? nullable]
      return orNull((given) => {
        const entries = ((given as { c0?: unknown }).c0 ?? []) as readonly { c0: unknown; c1: unknown }[]
        // Not by assignment, which makes `__proto__` no key. Of equal keys, the last one counts.
        return Object.fromEntries(entries.map((entry) => [keyText(key(entry.c0)), value(entry.c1)]))
      })
    }
    case 'struct': {
      const fields = shape.fields.map(({ name, shape: own }) => [name, converterOf(own) ?? nullable] as const)
      return orNull((given) =>
        Object.fromEntries(
          fields.map(([name, convert], i) => [name, convert((given as Record<string, unknown>)[`c${i}`])]),
        ),
      )
    }
    default:
      return orNull(LEAVES[shape.kind])
  }
}

function orNull(convert: Convert): Convert {
  return (given) => (given === undefined || given === null ? null : convert(given))
}

function nullable(given: unknown): unknown {
  return given ?? null
}

function keyText(key: unknown): string {
  return key instanceof Date ? key.toISOString() : String(key)
}

/** A BigInt, as a number where that is exact. */
function exact(given: bigint): number | bigint {
  return given <= BIG_MAX && given >= -BIG_MAX ? Number(given) : given
}

/** Of a struct within a struct, the package gives BigInts also for values that came as numbers. */
function big(given: unknown): bigint {
  return typeof given === 'bigint' ? given : BigInt(given as number)
}

const LEAVES: Readonly<Record<Exclude<LeafKind, 'same' | 'text'>, Convert>> = {
  int64: (given) => exact(big(given)),
  uint64: (given) => exact(BigInt.asUintN(64, big(given))),
  uint32: (given) => (given as number) >>> 0,
  bytes: (given) => copied(given as Uint8Array),
  json: (given) => (typeof given === 'string' ? (JSON.parse(given) as unknown) : given),
  uuid: (given) => uuid(given as Uint8Array),
  float16: (given) => float16(given as Uint8Array),
  date: (given) => new Date((given as number) * DAY_MS),
  milliseconds: (given) => time(big(given), 1n),
  microseconds: (given) => time(big(given), 1_000n),
  nanoseconds: (given) => time(big(given), 1_000_000n),
  interval: (given) => interval(given as Uint8Array),
}

/** A `Date`, which has milliseconds; or the number itself, if none is so early or late. @param unit Of them in a millisecond. */
function time(given: bigint, unit: bigint): Date | bigint {
  // Of times before 1970, too, the earlier millisecond.
  const milliseconds = given / unit - (given % unit < 0n ? 1n : 0n)
  if (milliseconds > MAX_TIME_BIG || milliseconds < -MAX_TIME_BIG) return given
  return new Date(Number(milliseconds))
}

/** A number, if its digits can be told from it again; else a string of all digits. */
function decimal(given: unknown, scale: number): number | string {
  const unscaled = given instanceof Uint8Array ? signed(given) : big(given)
  if (unscaled < DECIMAL_LIMIT && unscaled > -DECIMAL_LIMIT && scale >= 0 && scale <= MAX_EXACT_SCALE)
    return Number(unscaled) / 10 ** scale
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  if (scale <= 0) return `${sign}${digits}${'0'.repeat(unscaled === 0n ? 0 : -scale)}`
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** An integer of any length, the highest byte first. */
function signed(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${text}`))
}

function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function float16(bytes: Uint8Array): number {
  const [low = 0, high = 0] = bytes
  const sign = high >> 7 === 0 ? 1 : -1
  const exponent = (high >> 2) & 0x1f
  const fraction = ((high & 3) << 8) | low
  if (exponent === 0) return sign * 2 ** -24 * fraction
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * 2 ** (exponent - 25) * (1024 + fraction)
}

/** Three numbers that count on their own: a month has no fixed number of days. */
function interval(bytes: Uint8Array): { months: number; days: number; milliseconds: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { months: view.getUint32(0, true), days: view.getUint32(4, true), milliseconds: view.getUint32(8, true) }
}

/** A copy: the others of its page would be kept, too. */
function copied(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes)
}

/** Text, or the bytes if they are none. For the package, which calls it for each value, or entry of a dictionary. */
export function textOf(bytes: Uint8Array | undefined): string | Uint8Array | undefined {
  if (bytes === undefined) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  return !text.includes(REPLACEMENT) || isUtf8(bytes) ? text : copied(bytes)
}
