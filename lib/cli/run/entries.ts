/** Data that JSON knows: a Map as its entries, in their order, and a Set as its elements. */

/** The value, or a copy of it without Maps and Sets. */
export function withEntries(value: unknown): unknown {
  if (value instanceof Map || value instanceof Set) return Array.from(value as Iterable<unknown>, withEntries)
  if (Array.isArray(value)) return value.map(withEntries)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withEntries(inner)]))
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
