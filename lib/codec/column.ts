/**
 * The form in which many values cross to another thread: by kind, in typed arrays and long strings. These cost a
 * message little. Types alone; `encode.ts` and `decode.ts` make and read them.
 */

/** Values of one kind; or of several kinds (`mixed`), with one column per kind. */
export type Column =
  NumberColumn | DateColumn | TextColumn | RecordColumn | TupleColumn | ListColumn | PlainColumn | MixedColumn

export interface NumberColumn {
  readonly kind: 'numbers'
  readonly numbers: Int32Array | Float64Array
}

export interface DateColumn {
  readonly kind: 'dates'
  readonly times: Float64Array
}

export interface TextColumn {
  readonly kind: 'text'
  readonly lengths: Uint16Array
  readonly segments: readonly string[]
}

/** Plain objects that have the same keys in the same order: a column for each key. */
export interface RecordColumn {
  readonly kind: 'records'
  readonly length: number
  /** The keys, as JSON. */
  readonly keys: string
  /** Whether they have no prototype. */
  readonly bare?: true
  readonly columns: readonly Column[]
}

/** Arrays of one length: a column for each place. */
export interface TupleColumn {
  readonly kind: 'tuples'
  readonly length: number
  readonly columns: readonly Column[]
}

/** Arrays: a column of all their elements. */
export interface ListColumn {
  readonly kind: 'lists'
  readonly length: number
  /** How many elements each has: one number when all have as many. */
  readonly lengths: number | Uint16Array
  readonly elements: Column
}

export interface PlainColumn {
  readonly kind: 'plain'
  readonly values: readonly unknown[]
}

export interface MixedColumn {
  readonly kind: 'mixed'
  /** For each place the number of the column that has its value, or the tag of one of `CONSTANTS`. */
  readonly tags: Uint8Array
  readonly columns: readonly Column[]
}

/** Values that are nothing but a tag: the first has the tag `FIRST_CONSTANT`, the next one the tag after that. */
export const CONSTANTS: readonly unknown[] = [undefined, null, false, true]
export const FIRST_CONSTANT: number = 256 - CONSTANTS.length
