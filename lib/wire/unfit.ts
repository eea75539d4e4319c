/** A part of a value cannot be written. The message is half a sentence about it, such as "is a function". */
export class UnfitError extends Error {
  /** Where a part of this object may be the reason. */
  readonly object: object | undefined

  constructor(fault: string, object?: object) {
    super(fault)
    this.object = object
  }
}
