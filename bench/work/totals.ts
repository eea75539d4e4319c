/** The answer that contenders find in the records of a log: the bytes, and the count of lines for each status. */

export interface Totals {
  bytes: number
  /** By status; 0 is for malformed lines. */
  readonly statuses: Record<number, number>
}

export function none(): Totals {
  return { bytes: 0, statuses: {} }
}

/** Counts one record. Returns the same totals, for a fold. */
export function add(totals: Totals, { status, bytes }: { readonly status: number; readonly bytes: number }): Totals {
  totals.bytes += bytes
  totals.statuses[status] = (totals.statuses[status] ?? 0) + 1
  return totals
}

/** Adds `b` to `a`. */
export function merge(a: Totals, b: Totals): Totals {
  a.bytes += b.bytes
  for (const [status, lines] of Object.entries(b.statuses)) {
    a.statuses[Number(status)] = (a.statuses[Number(status)] ?? 0) + lines
  }
  return a
}
