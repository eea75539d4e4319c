/**
 * Runs jobs of `write()` with `resume` in whole processes, kills them at random times, and runs them again until they are
 * done. Then all files must be those of a run without a stop, byte for byte.
 */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomOf } from '../random.js'
import type { ChildArguments, CutFault, Figures } from './child.js'
import { differencesOf, filesIn, hashesOf, type Hashes } from './comparison.js'
import { makeInputs } from './inputs.js'
import { JOB_NAMES, jobOf, type Ways } from './jobs.js'
import type { Kill } from '../killable.js'
import { runChild } from './killed-child.js'

/** How many records each input file has. */
const ROWS = 4_000
/** A job is left alone when it was killed so often. */
const MOST_KILLS = 40
/** How long a run starts, as a share of a whole run. */
const START_SHARE = 0.25
/** The names of files that are there until a run is done. */
const UNFINISHED = /\.(part|checkpoint(\.\S+)?|lock(\.\S+)?)$/

export interface Campaign {
  /** How many kills there are at least. */
  readonly kills: number
  readonly seed: number
  /** Names of jobs. Default: all. */
  readonly jobs?: readonly string[]
  /** How many processes are at work at a time. Default: 2. */
  readonly lanes?: number
  /** A control: see `ChildArguments`. */
  readonly fault?: CutFault
  /** Called after each job. */
  readonly onJob?: (tally: Tally) => void
}

export interface Tally {
  /** By the signal that has ended the process. A run that was stopped by SIGTERM counts, too. */
  readonly kills: Record<'SIGKILL' | 'SIGTERM', number>
  /** Kills before there was a checkpoint, and when all was written. */
  beforeFirst: number
  whenComplete: number
  runs: number
  /** Runs that went on from a checkpoint. */
  wentOn: number
  /** Jobs that were done, and files of them that were compared. */
  jobs: number
  files: number
  readonly differences: Difference[]
}

export interface Difference {
  readonly job: string
  /** The number of its random choices. */
  readonly seed: number
  /** The names of the files that differ, or the error of a run. */
  readonly what: string
  /** The folder of its files, which stays. */
  readonly folder: string
}

/** A job without a stop. */
interface Reference {
  readonly hashes: Hashes
  readonly figures: Figures | undefined
  /** In milliseconds. */
  readonly duration: number
}

export function killsOf({ kills }: Tally): number {
  return kills.SIGKILL + kills.SIGTERM
}

export async function killRuns(campaign: Campaign): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kills-'))
  const { lanes = 2 } = campaign
  const tally: Tally = {
    kills: { SIGKILL: 0, SIGTERM: 0 },
    beforeFirst: 0,
    whenComplete: 0,
    runs: 0,
    wentOn: 0,
    jobs: 0,
    files: 0,
    differences: [],
  }
  const inputs = join(folder, 'inputs')
  makeInputs(inputs, ROWS)
  const names = campaign.jobs ?? JOB_NAMES
  const references = new Map<string, Promise<Reference>>()
  let next = campaign.seed
  const lane = async (): Promise<void> => {
    while (killsOf(tally) < campaign.kills) {
      const seed = next++
      const job = names[seed % names.length] ?? ''
      const reference = references.get(job) ?? referenceOf(job, inputs, folder)
      references.set(job, reference)
      const killed = new KilledJob(job, seed, inputs, folder, await reference, tally)
      await killed.run(campaign.fault)
      campaign.onJob?.(tally)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  if (tally.differences.length === 0) rmSync(folder, { recursive: true })
  return tally
}

async function referenceOf(job: string, inputs: string, folder: string): Promise<Reference> {
  const output = mkdtempSync(join(folder, 'whole-'))
  const ways = { workers: 1 }
  const end = await runChild({ job, inputs, output, ways, interval: 20, bytes: 1e9 })
  if (end.kind !== 'done') throw new Error(`'${job}' without a stop: ${JSON.stringify(end)}`)
  const hashes = hashesOf(output, jobOf(job).isOrdered)
  const rests = [...hashes.keys()].filter((name) => UNFINISHED.test(name))
  if (hashes.size === 0 || rests.length > 0) throw new Error(`'${job}' has left ${rests.join(', ') || 'nothing'}`)
  return { hashes, figures: end.result.figures, duration: end.result.duration }
}

/** What a checkpoint says, as far as it matters here. */
interface Stored {
  readonly state: string
  readonly counts: { readonly read: number }
}

class KilledJob {
  readonly #job: string
  readonly #seed: number
  readonly #inputs: string
  readonly #output: string
  readonly #folder: string
  readonly #reference: Reference
  readonly #tally: Tally
  readonly #random: () => number

  constructor(job: string, seed: number, inputs: string, folder: string, reference: Reference, tally: Tally) {
    this.#job = job
    this.#seed = seed
    this.#inputs = inputs
    this.#folder = mkdtempSync(join(folder, `job-${seed}-`))
    this.#output = join(this.#folder, 'out')
    this.#reference = reference
    this.#tally = tally
    this.#random = randomOf(seed)
    mkdirSync(this.#output)
  }

  /** Runs it until it is done, and compares. */
  async run(fault: CutFault | undefined): Promise<void> {
    const tally = this.#tally
    for (let kills = 0; ; kills++) {
      const before = this.#stored()
      const kill = kills < MOST_KILLS ? this.#kill(before) : undefined
      const end = await runChild({ ...this.#arguments(), fault }, kill)
      tally.runs++
      if (before !== undefined) tally.wentOn++
      if (end.kind === 'failed') {
        this.#differs(end.text)
        return
      }
      if (end.kind === 'done') {
        this.#compare(end.result.figures, end.result.resumed, before !== undefined)
        return
      }
      tally.kills[end.signal === 'SIGTERM' ? 'SIGTERM' : 'SIGKILL']++
      const after = this.#stored()
      if (after?.state === 'complete' || this.#hasOutputs) tally.whenComplete++
      else if (after === undefined) tally.beforeFirst++
      this.#damage(after)
    }
  }

  #compare(figures: Figures | undefined, resumed: boolean | undefined, wasCheckpoint: boolean): void {
    const { hashes, figures: expected } = this.#reference
    const found = hashesOf(this.#output, jobOf(this.#job).isOrdered)
    this.#tally.jobs++
    this.#tally.files += found.size
    const differences = differencesOf(hashes, found)
    if (differences.length > 0) this.#differs(`other files than a run without a stop: ${differences.join(', ')}`)
    else if (JSON.stringify(figures) !== JSON.stringify(expected))
      this.#differs(`${JSON.stringify(figures)} instead of ${JSON.stringify(expected)}`)
    else if (resumed !== wasCheckpoint) this.#differs(`'resumed' is ${String(resumed)}`)
    else rmSync(this.#folder, { recursive: true })
  }

  #differs(what: string): void {
    this.#tally.differences.push({ job: this.#job, seed: this.#seed, what, folder: this.#folder })
  }

  #arguments(): ChildArguments {
    const ways: Ways = {
      workers: this.#oneOf(0, 1, 1, 2, 3),
      ...this.#oneOf({}, {}, { chunksize: this.#oneOf(1, 3, 50) }, { window: this.#oneOf(60, 300, 2_000) }),
    }
    const interval = this.#oneOf(5, 20, 20, 40)
    return {
      job: this.#job,
      inputs: this.#inputs,
      output: this.#output,
      ways,
      interval,
      bytes: this.#oneOf(20_000, 100_000, 1e9),
    }
  }

  /** At any time from the start to a little behind the expected end. Often near that. */
  #kill(before: Stored | undefined): Kill {
    const random = this.#random
    const signal = random() < 0.15 ? 'SIGTERM' : 'SIGKILL'
    const killAfter = random() < 0.5 ? Math.floor(random() * 30) : undefined
    if (random() < 0.04) return { since: 'start', delay: random() * 150, signal: 'SIGKILL' }
    const { duration, figures } = this.#reference
    const done = before?.state === 'complete' ? 1 : (before?.counts.read ?? 0) / (figures?.read ?? 1)
    // A run that goes on starts its workers first.
    const left = duration * (START_SHARE + 1 - done)
    const share = random() < 0.2 ? 0.8 + random() * 0.4 : random() * 1.1
    return { since: 'begin', delay: left * share, signal, killAfter }
  }

  /** Bytes behind those that the checkpoint knows mean nothing. */
  #damage(stored: Stored | undefined): void {
    if (stored?.state === 'complete' || this.#random() < 0.6) return
    const bytes = Buffer.alloc(1 + Math.floor(this.#random() * 5_000), 'garbage\n')
    for (const file of filesIn(this.#output)) if (/\.(part|tmp)$/.test(file)) appendFileSync(file, bytes)
  }

  /** Whether a file has its name. */
  get #hasOutputs(): boolean {
    return filesIn(this.#output).some((file) => !UNFINISHED.test(file))
  }

  /** The checkpoint, if there is one. */
  #stored(): Stored | undefined {
    const path = join(this.#output, `${jobOf(this.#job).target}.checkpoint`)
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Stored) : undefined
  }

  #oneOf<const T extends readonly unknown[]>(...values: T): T[number] {
    return values[Math.floor(this.#random() * values.length)]
  }
}
