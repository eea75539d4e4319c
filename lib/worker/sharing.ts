/**
 * The classes of what threads share, for workers whose tasks do not import them: loaded when the first such object comes, as that
 * takes some milliseconds.
 */
import { knowsShared, revive } from '../shared/shared.js'

/** Undefined when they are there. */
export function loadShared(): Promise<unknown> | undefined {
  return knowsShared() ? undefined : import('../sync/kinds.js')
}

/** What has come as a clone, with the objects in it that threads share. */
export async function revived<T>(clone: T): Promise<T> {
  try {
    return revive(clone).value as T
  } catch (error) {
    if (knowsShared()) throw error
    await loadShared()
    return revive(clone).value as T
  }
}
