/** Whether a file can be read from anywhere: compressed data and UTF-16 cannot. */
import { InputError } from '../errors.js'
import { textEncoding } from './encoding.js'
import { formatOf, markOf } from './format.js'
import { isBrotliName } from './suffixes.js'

/** How many bytes of a file tell its format. */
export const HEAD_BYTES = 512
const UTF8 = textEncoding('read a block', 'utf8', undefined)

/** @param head The first bytes of a file. @throws InputError `ERR_INPUT_FORMAT` */
export function assertPlainText(head: Buffer, path: string): void {
  const what = formatOf(head)?.name ?? markOf(head, UTF8, true).input ?? (isBrotliName(path) ? 'brotli' : undefined)
  if (what === undefined) return
  throw new InputError(
    `Cannot read ${path} in blocks as it must be text that can be read from anywhere: received ${what} data ` +
      '(make text in UTF-8 of it first, or give each file to one task that reads it with lines())',
    'ERR_INPUT_FORMAT',
    0,
  )
}
