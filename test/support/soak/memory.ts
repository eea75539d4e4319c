/** The memory of processes over time, and whether it is flat. Linux alone. */
import { readFileSync } from 'node:fs'

/** In the second half of a run, more than this over the first is a leak: as a factor, and in MB. */
const GROWTH = 1.2
const NOISE_MB = 20

export class Memory {
  readonly #samples = new Map<string, number[]>()

  /** @param pid Undefined: it does not run now. @returns MB (10⁶ bytes) in memory. */
  sample(name: string, pid: number | undefined): number | undefined {
    const megabytes = pid === undefined ? undefined : residentOf(pid)
    if (megabytes !== undefined) this.#samples.set(name, [...(this.#samples.get(name) ?? []), megabytes])
    return megabytes
  }

  /** What is not flat. The start of the run, in which programs grow to their size, does not count. */
  get faults(): string[] {
    return [...this.#samples].flatMap(([name, samples]) => {
      const rest = samples.slice(samples.length >> 2)
      const [before, after] = [rest.slice(0, rest.length >> 1), rest.slice(rest.length >> 1)].map(median) as [
        number,
        number,
      ]
      const isFlat = after <= before * GROWTH + NOISE_MB
      return isFlat ? [] : [`memory of the ${name} has grown from ${before.toFixed(0)} to ${after.toFixed(0)} MB`]
    })
  }
}

function residentOf(pid: number): number | undefined {
  try {
    const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kibibytes === undefined ? undefined : (Number(kibibytes) * 1024) / 1e6
  } catch {
    // It has ended.
    return undefined
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
