/** What an error is while it crosses to another thread: plain data, and the names of classes that both threads may have. */

/** What was thrown, and every error it leads to; `errors[0]` is the thrown one, if it is an error. */
export interface Envelope {
  readonly thrown: Sealed
  readonly errors: readonly SealedError[]
}

/** A clone, the number of an error, or a list in which there are errors. */
export type Sealed = { readonly value: unknown } | { readonly error: number } | { readonly list: readonly Sealed[] }

/** One error of an envelope. What it refers to has a number, so that depth and cycles are no matter. */
export interface SealedError {
  /** The names of its classes, the nearest first. The last one is of a class that every realm has. */
  readonly kinds: readonly string[]
  readonly name: string | undefined
  readonly message: string | undefined
  stack: string | undefined
  readonly fields: readonly SealedField[]
}

/** A property of an error; hidden means not enumerable. */
export interface SealedField {
  readonly key: string
  readonly hidden: boolean
  readonly content: Sealed
}
