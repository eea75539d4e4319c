/** `ndjson()`: the values of files with a value of JSON on each line. */
import { sourcesOf, type ByteSource } from '../io/bytes.js'
import { OptionReader, VERBS_HINT } from '../options.js'
import { isSpace } from './array-finder.js'
import { jsonForm, JsonKind, NDJSON_OPTIONS, type JsonRow, type NdjsonOptions } from './json-kind.js'
import { LineSplitter } from './line-splitter.js'
import { recordsOf, type Records } from './records.js'

const ACTION = 'read records with ndjson()'

/** The call signatures of `ndjson`. */
export interface Ndjson {
  /** Objects with the keys that are named. It has two type parameters, as a call that names one type means the other. */
  <const K extends string, const C extends readonly K[]>(
    source: ByteSource | readonly ByteSource[],
    options: NdjsonOptions<C> & { readonly columns: C },
  ): Records<JsonRow<C[number] & K>>
  /** Values of any kind. `T` is the type that you know them to have: with `columns`, of the keys that are named. */
  <T = unknown>(source: ByteSource | readonly ByteSource[], options?: NdjsonOptions): Records<T>
}

/**
 * Gives the values of NDJSON (JSON Lines) files, or of any sources of bytes: one value of JSON on each line. Blank lines
 * are left out. Gzip, zstd and brotli are decompressed, and several files are read one after the other, as by `lines()`.
 *
 * As the source of a stage it hands over bytes. This thread finds only where lines end, and the workers parse them. A
 * plain `for await` parses on this thread.
 *
 * A line that is not JSON fails alone: it is an item that fails, and the option `errors` of the next stage says what
 * happens. A plain `for await` throws its error. Every value knows its place: see `TaskContext` and `failure()`.
 *
 * With `columns`, values are objects with some of their keys, and that is faster. The values of other keys are not decoded.
 * Only their structure is checked, so other damage in them is usually not found.
 *
 * It holds two blocks of 512 KiB and the longest line, for a file of any size.
 *
 * @param source A path, a URL, or what gives byte chunks, as in `lines()`. Or an array of these, or `files()`.
 * @param options `columns` (keys of objects, default all), `encoding` (default `'utf8'`), `maxLength` (bytes, default
 * 16 MiB), `decompress` (default none).
 * @throws `TypeError` or `RangeError` at the call, for a bad source or option. All other errors come from `next()`, after
 * the values before: a `RecordError` (`ERR_JSON`) for a line that is not JSON. With `columns` it must be an object. A line
 * that is too long gives `ERR_RECORD_TOO_LONG`. Errors of reading come as from `lines()`.
 * @example
 * ```ts
 * import { ndjson } from 'millrace'
 *
 * const text = '{"id": 1, "tags": ["a"]}\n{"id": 2, "tags": []}\n'
 * for await (const { id, tags } of ndjson<{ id: number; tags: string[] }>([Buffer.from(text)])) console.log(id, tags)
 * // → 1 [ 'a' ]
 * // → 2 []
 * for await (const row of ndjson([Buffer.from(text)], { columns: ['id'] })) console.log(row)
 * // → { id: 1 }
 * // → { id: 2 }
 * ```
 */
export const ndjson: Ndjson = ((source: unknown, options?: unknown) => {
  const sources = sourcesOf(ACTION, source)
  const read = new OptionReader<NdjsonOptions>(ACTION, options, NDJSON_OPTIONS, VERBS_HINT)
  const kind = new JsonKind(ACTION, read, () => new LineSplitter(isSpace), jsonForm(read))
  return recordsOf('ndjson', sources, kind, kind.plan)
}) as Ndjson
