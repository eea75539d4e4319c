/** Bytes that are no message of the wire format, or that exceed its limits. Nothing else is thrown for bytes. */
export class WireError extends Error {
  override readonly name = 'WireError'
  /** Where it was found, in bytes from the start of the message, or of a body that was compressed. */
  readonly offset: number

  /** @param fault Half a sentence, such as "the message ends too early". */
  constructor(fault: string, offset: number) {
    super(`Cannot read a message as ${fault} (at byte ${offset})`)
    this.offset = offset
  }
}
