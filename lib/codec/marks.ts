/**
 * What structured clone leaves out, and is put right where a message has arrived: which of its byte arrays are Buffers, and which of
 * its objects have no prototype. The message has these very objects in lists, so that nothing has to be searched for there.
 */

export interface Marks {
  readonly buffers: readonly Uint8Array[]
  readonly bare: readonly object[]
}

/** Puts right what a clone of both, values and marks, has wrong. Harmless when repeated. */
export function restore({ buffers, bare }: Marks): void {
  for (const bytes of buffers) Object.setPrototypeOf(bytes, Buffer.prototype as object)
  for (const object of bare) Object.setPrototypeOf(object, null)
}
