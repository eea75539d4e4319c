/** The name that somebody meant who typed another one. */

/**
 * @param names By each word that may be typed, the name that it stands for.
 * @returns Undefined: none is near.
 */
export function nearest(typed: string, names: ReadonlyMap<string, string>): string | undefined {
  const exact = names.get(typed)
  if (exact !== undefined) return exact
  const beginning = [...names.keys()].filter((name) => name.startsWith(typed))
  if (typed.length >= 2 && beginning[0] !== undefined && beginning.length === 1) return names.get(beginning[0])
  // One slip in a short word, two in a longer one.
  let least = typed.length < 8 ? 1 : 2
  let found: string | undefined
  for (const [name, meant] of names) {
    const far = distance(typed, name)
    if (far > least || (far === least && found !== undefined)) continue
    least = far
    found = meant
  }
  return found
}

/** How many letters were added, left out, replaced, or exchanged with the next one. */
function distance(a: string, b: string): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
        isExchanged ? (beforeLast[j - 2] ?? 0) + 1 : Infinity,
      )
    }
    ;[beforeLast, last] = [last, row]
  }
  return last[b.length] ?? 0
}
