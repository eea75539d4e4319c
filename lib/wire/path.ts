/** Names a part of a value, as in `value.list[3].log`. */
import { extended, shortened, type Way } from '../codec/clonable.js'

const MAX_LENGTH = 200

/** The key or index of a part, or the way to it in a Map or Set. */
export type Part = string | number | Way

/** @param parts From the outermost object to the innermost. */
export function pathOf(name: string, parts: readonly Part[]): string {
  return shortened(parts.map(wayOf).reduce(extended, name), MAX_LENGTH)
}

function wayOf(part: Part): Way {
  if (typeof part === 'object') return part
  return { kind: typeof part === 'number' ? 'index' : 'field', key: part }
}
