/**
 * What structured clone leaves out and the receiver puts right: which byte arrays are Buffers, and which objects have
 * no prototype. The message lists these very objects, so the receiver searches for nothing.
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
