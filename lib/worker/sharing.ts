/**
 * The classes of objects that threads share, for workers whose tasks do not import them. They are loaded when the first
 * such object arrives, as that takes some milliseconds.
 */
import { holdsShared, unpack, type Data } from '../codec/codec.js'
import { knowsShared } from '../shared/registry.js'

/** Undefined when they are there. */
export function loadShared(): Promise<unknown> | undefined {
  return knowsShared() ? undefined : import('../multiprocessing/kinds.js')
}

/** The one value of a pack that has arrived. */
export async function arrived(data: Data): Promise<unknown> {
  if (holdsShared(data)) await loadShared()
  return unpack(data)[0]
}
