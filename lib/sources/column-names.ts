/** The option `columns` of sources of records: the names that are wanted. */

export const COLUMNS_EXPECTED = 'an array of different names, at least one'

export function isNames(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false
  return value.every((name) => typeof name === 'string') && new Set(value).size === value.length
}
