/** Values of JSON as a kind of records, and the options that `ndjson()`, `json()` and `replay()` share. */
import type { JsonFormat, RejectsFormat } from '../codec/records/format.js'
import type { TextOptions } from '../io/text.js'
import type { OptionReader } from '../options.js'
import type { Json } from '../resume/mark.js'
import { COLUMNS_EXPECTED, isNames } from './column-names.js'
import type { Beginning, RecordKind } from './record-reader.js'
import type { Splitter } from './record-scanner.js'
import { readRecordText } from './record-text.js'

/** The options of `replay()`. */
export interface ReplayOptions {
  /** The encoding of the text, as in `lines()`. Default: `'utf8'`, or UTF-16 by its byte order mark. */
  encoding?: string | undefined
  /**
   * The most bytes that a value may have, uncompressed. Text in UTF-16 is measured in UTF-8. A longer one ends the source
   * with a `RecordError` (`ERR_RECORD_TOO_LONG`). Default: 16,777,216 (16 MiB); minimum: 1; maximum: the longest string
   * there can be.
   */
  maxLength?: number | undefined
  /** A program and its arguments that decompress the input, such as `['xz', '-dc']`, as in `lines()`. Default: none. */
  decompress?: readonly string[] | undefined
}

/** The options of `ndjson()`. */
export interface NdjsonOptions<C extends readonly string[] = readonly string[]> extends ReplayOptions {
  /**
   * The keys that objects have, in this order. They are keys of the record itself, not of objects in it. A key that a
   * record does not have is left out. Values of other keys are not decoded, which saves time. Of these, only the structure
   * is checked: strings and brackets must be closed. A record that is no object fails (`ERR_JSON`). Default: values of any
   * kind, with all keys.
   */
  columns?: C | undefined
}

/** The objects that `columns` give, if you do not say of which type they are. */
export type JsonRow<K extends string> = Partial<Record<K, unknown>>

export const REPLAY_OPTIONS = ['encoding', 'maxLength', 'decompress'] as const
export const NDJSON_OPTIONS = ['columns', 'encoding', 'maxLength', 'decompress'] as const

export class JsonKind implements RecordKind {
  readonly text: TextOptions
  readonly maxLength: number
  readonly #format: JsonFormat | RejectsFormat
  readonly #open: (encoding: string) => Splitter

  /**
   * @param open Makes the splitter of an input. The encoding is one in which bytes of ASCII are ASCII.
   * @param form What is made of the values.
   */
  constructor(
    action: string,
    read: OptionReader<ReplayOptions>,
    open: (encoding: string) => Splitter,
    form: Pick<JsonFormat, 'kind' | 'columns'> | Pick<RejectsFormat, 'kind'>,
  ) {
    const { text, maxLength } = readRecordText(action, read)
    this.text = text
    this.maxLength = maxLength
    this.#format = { ...form, encoding: this.text.text.blocks }
    this.#open = open
  }

  /** The options that change which values there are. */
  get plan(): Readonly<Record<string, Json>> {
    const { text, decompress } = this.text
    const columns = this.#format.kind === 'json' ? this.#format.columns : undefined
    return {
      encoding: text.input ?? text.blocks,
      maxLength: this.maxLength,
      ...(columns && { columns }),
      ...(decompress && { decompress }),
    }
  }

  isDecided(): boolean {
    return true
  }

  begin(): Beginning {
    return { splitter: this.#open(this.#format.encoding), skipped: 0, format: this.#format, hasHeader: false }
  }
}

/** The format of the values of `ndjson()` and `json()`. */
export function jsonForm(read: OptionReader<NdjsonOptions>): Pick<JsonFormat, 'kind' | 'columns'> {
  const columns = read.value('columns', COLUMNS_EXPECTED, isNames)
  return columns === undefined ? { kind: 'json' } : { kind: 'json', columns: [...columns] }
}
