/** What is written of expressions, buffers and boxes. What an object adds to its class, such as other flags, is left out. */
import { types } from 'node:util'
import { attempt } from '../errors.js'
import { FLAGS } from './format.js'
import { UnfitError } from './unfit.js'

interface Flags {
  readonly text: string
  /** A bit for each of `FLAGS`. */
  readonly bits: number
}

export function expressionOf(expression: RegExp): { readonly source: string; readonly flags: Flags } {
  let text = ''
  let bits = 0
  for (const [place, [flag, property]] of FLAGS.entries()) {
    if (readNative(expression, property) !== true) continue
    text += flag
    bits |= 1 << place
  }
  return { source: String(readNative(expression, 'source')), flags: { text, bits } }
}

function readNative(expression: RegExp, property: string): unknown {
  return Object.getOwnPropertyDescriptor(RegExp.prototype, property)?.get?.call(expression)
}

/** The bytes of a buffer that can be sent. */
export function bytesOf(buffer: ArrayBufferLike): Uint8Array {
  if (types.isSharedArrayBuffer(buffer)) throw new UnfitError('is shared memory, which other machines cannot share')
  if ((buffer as { readonly resizable?: boolean }).resizable === true) throw new UnfitError('is a resizable buffer')
  // The only way in Node 20 to tell.
  const bytes = attempt(() => new Uint8Array(buffer))
  if (bytes === undefined) throw new UnfitError('is a detached buffer')
  return bytes
}

/** The primitive in a box, however the object shows it. */
export function unboxed(box: object): number | string | boolean | bigint {
  if (types.isNumberObject(box)) return Number.prototype.valueOf.call(box)
  if (types.isStringObject(box)) return String.prototype.valueOf.call(box)
  if (types.isBooleanObject(box)) return Boolean.prototype.valueOf.call(box)
  if (types.isBigIntObject(box)) return BigInt.prototype.valueOf.call(box)
  throw new UnfitError('is a boxed symbol')
}
