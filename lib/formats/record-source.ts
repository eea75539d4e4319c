/** How values become records, as text, or faster, as bytes. Each format has one. */
export interface RecordSource {
  /** Called before the first record of a batch. */
  begin(): void
  /**
   * Writes a record into `bytes` from `at` on, if it is a simple one.
   *
   * @returns The position behind the record; or `NOT_SIMPLE`, or `NO_ROOM`. Then bytes from `at` on are of no use.
   */
  write(value: unknown, bytes: Buffer, at: number): number
  /** Gives the same as text. Throws an `OutputError`. */
  textOf(value: unknown, index: number): string
}

/** The record is to be formatted as text. */
export const NOT_SIMPLE = -1
/** The bytes end before the record does. */
export const NO_ROOM = -2
