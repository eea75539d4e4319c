/** The most frequent pages of a log: a fold for `--reduce`, and the answer by a plain loop. */

/** The first two parts of the path that was asked for. */
const PAGE = /"(?:GET|POST|HEAD) (\/[^/ ]+\/[^/ ]+)/
const TOP = 10

type Counts = Map<string, number>
export type Page = readonly [page: string, count: number]

function add(counts: Counts, page: string, count: number): Counts {
  return counts.set(page, (counts.get(page) ?? 0) + count)
}

/** The first ones, where equal counts are in the order of their names. */
export function topOf(pages: Iterable<Page>): Page[] {
  const sorted = [...pages].sort(([one, some], [other, many]) => many - some || (one < other ? -1 : 1))
  return sorted.slice(0, TOP)
}

export default {
  initial: new Map() as Counts,
  fold(counts: Counts, line: string): Counts {
    const [, page] = PAGE.exec(line) ?? []
    return page === undefined ? counts : add(counts, page, 1)
  },
  merge(into: Counts, partial: Counts): Counts {
    for (const [page, count] of partial) add(into, page, count)
    return into
  },
  finish: topOf,
}
