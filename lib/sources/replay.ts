/** `replay()`: the items of a file of failed items, for another run. */
import { sourcesOf, type ByteSource } from '../io/bytes.js'
import { OptionReader, VERBS_HINT } from '../options.js'
import { isSpace } from './array-finder.js'
import { JsonKind, REPLAY_OPTIONS, type ReplayOptions } from './json-kind.js'
import { LineSplitter } from './line-splitter.js'
import { recordsOf, type Records } from './records.js'

const ACTION = 'read failed items with replay()'

/**
 * Gives the items of files that `rejects()` has written, for another run of the same stage. A record that could not be
 * read is read again from its text, in the format that its line names. So you can correct the text in the file first.
 *
 * It is a source as `ndjson()` is. A line whose item cannot be made again is a bad record: it fails alone, as an item of
 * the next stage. `file`, `record`, `line` and `offset` of a task's context are those of the line in this file.
 *
 * @param source A path, a URL, or what gives byte chunks, as in `lines()`. Or an array of these, or `files()`.
 * @param options `encoding` (default `'utf8'`), `maxLength` (bytes, default 16 MiB), `decompress` (default none).
 * @throws `TypeError` or `RangeError` at the call, for a bad source or option. All other errors come from `next()`: a
 * `RecordError` for a line whose item cannot be made again, and errors of reading.
 *
 * @example
 * ```ts
 * import { imap, rejects, replay } from 'millrace'
 *
 * const parse = (text: string): unknown => JSON.parse(text)
 * const options = { workers: 0, errors: rejects('failed.ndjson') } as const
 * for await (const value of imap(parse, ['1', '{'], options)) console.log(value)
 * // → 1
 *
 * const careful = (text: string): unknown => (text === '{' ? {} : parse(text))
 * for await (const value of imap(careful, replay<string>('failed.ndjson'), { workers: 0 })) console.log(value)
 * // → {}
 * ```
 */
export function replay<T = unknown>(source: ByteSource | readonly ByteSource[], options?: ReplayOptions): Records<T> {
  const sources = sourcesOf(ACTION, source)
  const read = new OptionReader<ReplayOptions>(ACTION, options, REPLAY_OPTIONS, VERBS_HINT)
  const kind = new JsonKind(ACTION, read, () => new LineSplitter(isSpace), { kind: 'rejects' })
  return recordsOf('replay', sources, kind, kind.plan)
}
