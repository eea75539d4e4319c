/** `json()`: the elements of an array in a JSON document. */
import { sourcesOf, type ByteSource } from '../io/bytes.js'
import { OptionReader, VERBS_HINT } from '../options.js'
import { jsonForm, JsonKind, NDJSON_OPTIONS, type JsonRow, type NdjsonOptions } from './json-kind.js'
import { ElementSplitter } from './json-splitters.js'
import { recordsOf, type Records } from './records.js'

const ACTION = 'read records with json()'

/** The options of `json()`. */
export interface JsonOptions<C extends readonly string[] = readonly string[]> extends NdjsonOptions<C> {
  /**
   * The keys that lead to the array, from the top: `'data.rows'`, or `['data', 'rows']` if a key has a dot. Of equal keys
   * the first one counts. Default: the document is the array.
   */
  path?: string | readonly string[] | undefined
}

/** The call signatures of `json`. */
export interface Json {
  /** Objects with the keys that are named. It has two type parameters, as a call that names one type means the other. */
  <const K extends string, const C extends readonly K[]>(
    source: ByteSource | readonly ByteSource[],
    options: JsonOptions<C> & { readonly columns: C },
  ): Records<JsonRow<C[number] & K>>
  /** Values of any kind. `T` is the type that you know them to have: with `columns`, of the keys that are named. */
  <T = unknown>(source: ByteSource | readonly ByteSource[], options?: JsonOptions): Records<T>
}

/**
 * Gives the elements of the array that a JSON document is, or has at `path`. The document may be of any size: only one
 * block of it and the longest element are in memory. Gzip, zstd and brotli are decompressed, and several files are read
 * one after the other, as by `lines()`. Each has its own array.
 *
 * As the source of a stage it hands over bytes. This thread finds only where elements end, and the workers parse them. A
 * plain `for await` parses on this thread. The objects around the array are stepped over and not parsed.
 *
 * With `columns`, elements are objects with some of their keys, and that is faster. The values of other keys are not
 * decoded. Only their structure is checked, so other damage in them is usually not found.
 *
 * An element that is not JSON fails alone: it is an item that fails, and the option `errors` of the next stage says what
 * happens. A plain `for await` throws its error. What is wrong with the document ends the source: it has no such array,
 * it ends too early, or something follows it.
 *
 * @param source A path, a URL, or what gives byte chunks, as in `lines()`. Or an array of these, or `files()`.
 * @param options `path` (default: the document is the array), `columns` (keys of objects, default all). Also
 * `encoding` (default `'utf8'`), `maxLength` (bytes of an element, default 16 MiB), `decompress` (default none).
 * @throws `TypeError` or `RangeError` at the call, for a bad source or option. All other errors come from `next()`, after
 * the elements before: a `RecordError` (`ERR_JSON`) for an element or the document, with its `offset`. With `columns` an
 * element must be an object. An element that is too long gives `ERR_RECORD_TOO_LONG`. Errors of reading come as from
 * `lines()`.
 * @example
 * ```ts
 * import { json } from 'millrace'
 *
 * const text = '{ "total": 2, "data": { "rows": [{ "id": 1 }, { "id": 2 }] } }'
 * for await (const row of json<{ id: number }>([Buffer.from(text)], { path: 'data.rows' })) console.log(row.id)
 * // → 1
 * // → 2
 * ```
 */
export const json: Json = ((source: unknown, options?: unknown) => {
  const sources = sourcesOf(ACTION, source)
  const read = new OptionReader<JsonOptions>(ACTION, options, [...NDJSON_OPTIONS, 'path'], VERBS_HINT)
  const path = keysOf(read.value('path', 'keys with dots between them, or an array of keys', isPath))
  const open = (encoding: string): ElementSplitter => new ElementSplitter(path, encoding)
  const kind = new JsonKind(ACTION, read, open, jsonForm(read))
  return recordsOf('json', sources, kind, { ...kind.plan, path })
}) as Json

function isPath(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((key) => typeof key === 'string')
  return typeof value === 'string' && value !== ''
}

function keysOf(path: string | readonly string[] | undefined): string[] {
  return typeof path === 'string' ? path.split('.') : [...(path ?? [])]
}
