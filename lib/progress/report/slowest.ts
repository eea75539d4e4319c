/** The slowest items of a run, in bounded memory. */
import type { Chunk, Part } from '../../executor/executor.js'
import type { Place, SlowItem } from './run-report.js'

const MAX_ITEMS = 20

export class Slowest {
  /** The slowest first. */
  readonly #items: SlowItem[] = []

  /** @param time Of each item of the part, in milliseconds. */
  add(task: string, part: Part, time: number): void {
    const { count, chunk, chunkOffsets, from, worker } = part
    const items = this.#items
    const last = items.at(-1)
    if (items.length === MAX_ITEMS && last !== undefined && time <= last.time) return
    const at = items.findIndex((item) => item.time < time)
    const item = { ...placeOf(chunk, chunkOffsets?.[0] ?? from), task, count, time, worker }
    items.splice(at === -1 ? items.length : at, 0, item)
    if (items.length > MAX_ITEMS) items.pop()
  }

  get all(): SlowItem[] {
    return this.#items.map((item) => ({ ...item, time: Number(item.time.toPrecision(4)) }))
  }
}

/** Where an item of a chunk comes from. Only before the part with its outcome is given to the stream. */
export function placeOf(chunk: Chunk, offset: number): Place {
  const index = chunk.first + offset
  const place = chunk.items.placeOf?.(offset)
  if (place === undefined) return { index }
  const { file, record, line } = place
  return { index, record, line, ...(file !== undefined && { file }) }
}
