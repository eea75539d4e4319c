/** One measured run of `memory.ts`, in a process of its own: streams so many items, and prints its peak memory. */
import { imap, isMainThread, task } from 'millrace'

export interface Peak {
  readonly items: number
  readonly checksum: number
  /** Peak resident memory of the process, in MB (10⁶ bytes), all its threads included. */
  readonly megabytes: number
  readonly seconds: number
}

interface Reading {
  readonly id: number
  readonly name: string
}

const read = task(import.meta.url, function read(id: number): Reading {
  return { id, name: `reading ${id}` }
})

function* count(items: number): Generator<number> {
  for (let i = 0; i < items; i++) yield i
}

/** Busy for so long at every result that the workers, left alone, would run far ahead. */
function linger(microseconds: number): void {
  const until = performance.now() + microseconds / 1_000
  while (performance.now() < until);
}

if (isMainThread) {
  const [items = 0, lingering = 0] = process.argv.slice(2).map(Number)
  const started = performance.now()
  let checksum = 0
  for await (const { id } of imap(read, count(items))) {
    checksum += id
    linger(lingering)
  }
  const peak: Peak = {
    items,
    checksum,
    megabytes: (process.resourceUsage().maxRSS * 1_024) / 1e6,
    seconds: (performance.now() - started) / 1_000,
  }
  console.log(JSON.stringify(peak))
}
