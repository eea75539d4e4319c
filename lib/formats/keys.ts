/** The keys of records. */

/** Whether a record has exactly these keys in this order. (It may say no where an inherited key is enumerable.) */
export function hasKeys(record: object, keys: readonly string[]): boolean {
  let at = 0
  for (const key in record) if (key !== keys[at++]) return false
  return at === keys.length
}

/** Whether a value has keys that a `for` loop finds, own or inherited. */
export function hasEnumerableKeys(value: object): boolean {
  for (const _ in value) return true
  return false
}
