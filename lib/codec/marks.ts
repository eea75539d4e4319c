/**
 * Facts that structured clone leaves out: which byte arrays are Buffers, and which objects have no prototype. The
 * message lists these objects, so the receiver need not search for them.
 */

export interface Marks {
  readonly buffers: readonly Uint8Array[]
  readonly bare: readonly object[]
}

/** Corrects the clone of the values, by the marks that were cloned with them. May be repeated. */
export function restore({ buffers, bare }: Marks): void {
  for (const bytes of buffers) Object.setPrototypeOf(bytes, Buffer.prototype as object)
  for (const object of bare) Object.setPrototypeOf(object, null)
}
