/** The option `compress` of `write()`. */
import { rangeError, typeError } from '../errors.js'
import { unwrittenSuffixOf, writtenCompressionOf } from '../io/suffixes.js'
import { isPlainObject, OptionReader } from '../options.js'
import { hasZstd, LEVELS, type Compression, type CompressionType } from './compression.js'

interface CompressOption {
  readonly compress?: CompressionType | false | { readonly type: CompressionType; readonly level?: number }
}

/**
 * Undefined: the output is not compressed.
 *
 * @param action For errors: what the caller is about to do.
 * @param path By whose suffix it is decided, if the option is not given.
 */
export function readCompression(
  action: string,
  read: OptionReader<CompressOption>,
  path: string | undefined,
): Compression | undefined {
  const expected = "'gzip', 'zstd', false or { type, level }"
  const given = read.value(
    'compress',
    expected,
    (value) => isCompressionType(value) || value === false || isPlainObject(value),
  )
  if (given === false) return undefined
  if (given === undefined) {
    const suffix = unwrittenSuffixOf(path ?? '')
    if (suffix !== undefined) {
      const cure = 'name it .gz or .zst, or say compress: false'
      throw rangeError(
        'ERR_INVALID_OPTION',
        `Cannot ${action} as the compression '${suffix}' is not offered: received '${path ?? ''}' (${cure})`,
      )
    }
    const type = writtenCompressionOf(path ?? '')
    return type && checked(read, { type, level: undefined })
  }
  if (typeof given === 'string') return checked(read, { type: given, level: undefined })
  const named = Object.fromEntries(Object.entries(given).map(([name, value]) => [`compress.${name}`, value]))
  const own = new OptionReader<Record<'compress.type' | 'compress.level', unknown>>(action, named, [
    'compress.type',
    'compress.level',
  ])
  const type = own.oneOf('compress.type', ['gzip', 'zstd'])
  if (type === undefined) return own.fail(typeError, 'compress.type', "given: 'gzip' or 'zstd'", given)
  return checked(read, { type, level: own.integer('compress.level', LEVELS[type].min, LEVELS[type].max) })
}

function isCompressionType(value: unknown): value is CompressionType {
  return value === 'gzip' || value === 'zstd'
}

function checked(read: OptionReader<CompressOption>, compression: Compression): Compression {
  if (compression.type === 'gzip' || hasZstd()) return compression
  const cure = ` (zstd needs Node 22.15 or later, and this is ${process.version}: choose gzip)`
  return read.fail(rangeError, 'compress', "'gzip' or false here", compression.type, cure)
}
