/** Compares what two runs do: the plans of their parts. */
import type { Json } from './mark.js'

/** A place in which two plans differ. */
export interface Difference {
  /** Its name, as `stages.0.task`. */
  readonly where: string
  readonly before: Json | undefined
  readonly now: Json | undefined
}

/** The first difference between two values of JSON; undefined if they are the same. A missing key is an undefined one. */
export function differenceOf(before: Json | undefined, now: Json | undefined, where = ''): Difference | undefined {
  if (!isGroup(before) || !isGroup(now) || Array.isArray(before) !== Array.isArray(now))
    return Object.is(before, now) ? undefined : { where, before, now }
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [one, other] = [
      Object.hasOwn(before, key) ? before[key] : undefined,
      Object.hasOwn(now, key) ? now[key] : undefined,
    ]
    const difference = differenceOf(one, other, where === '' ? key : `${where}.${key}`)
    if (difference !== undefined) return difference
  }
  return undefined
}

/** An array is a group by its indexes. */
function isGroup(value: Json | undefined): value is Readonly<Record<string, Json | undefined>> {
  return typeof value === 'object' && value !== null
}
