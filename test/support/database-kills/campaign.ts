/**
 * Runs jobs of `commit()` in whole processes, kills them at random times, and runs them again until they are done. Then
 * the database must have the rows of a run without a stop, each once, and so must the file of failed items.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runKillable, type Kill, type KillableEnd } from '../killable.js'
import { randomOf } from '../random.js'
import { differencesOf, hashesOf, type Hashes } from '../resume-kills/comparison.js'
import { makeInputs } from '../resume-kills/inputs.js'
import type { Ways } from '../resume-kills/jobs.js'
import type { ChildArguments, ChildResult } from './child.js'
import { JOBS } from './jobs.js'
import { rowsPath, type StoreName, type Way } from './stores.js'

const PROGRAM = fileURLToPath(new URL('./child.js', import.meta.url))
/** How many records each input file has. */
const ROWS = 3_000
/** A job is left alone when it was killed so often. */
const MOST_KILLS = 15
/** How long a run starts, as a share of a whole run. */
const START_SHARE = 0.3

export interface Campaign {
  readonly store: StoreName
  /** One of `JOBS`. */
  readonly job: string
  /** The path of the Node that has the database. */
  readonly node: string
  /** How many kills there are at least. */
  readonly kills: number
  readonly seed: number
  /** A control: see `stores.ts`. */
  readonly way?: Way
}

export interface Tally {
  kills: number
  /** Runs that went on from a position. */
  wentOn: number
  /** Jobs that were done, and rows of them that were compared. */
  jobs: number
  rows: number
  readonly differences: string[]
}

/** What a run without a stop gives. */
interface Whole {
  readonly rows: readonly string[]
  readonly hashes: Hashes
  /** In milliseconds. */
  readonly duration: number
}

export class Campaigner {
  readonly #campaign: Campaign
  readonly #folder: string
  readonly #random: () => number
  readonly tally: Tally = { kills: 0, wentOn: 0, jobs: 0, rows: 0, differences: [] }

  constructor(campaign: Campaign) {
    this.#campaign = campaign
    this.#folder = mkdtempSync(join(tmpdir(), 'millrace-database-kills-'))
    this.#random = randomOf(campaign.seed)
    makeInputs(join(this.#folder, 'inputs'), ROWS)
  }

  /** Kills runs of the job until there were enough kills, or something was different. */
  async run(): Promise<Tally> {
    const whole = await this.#whole()
    const { kills } = this.#campaign
    while (this.tally.kills < kills && this.tally.differences.length === 0) await this.#killUntilDone(whole)
    return this.tally
  }

  /** Three runs begin at the same time, a few times. Then another one finds nothing to do, or does the rest. */
  async runTogether(times: number): Promise<Tally> {
    const whole = await this.#whole()
    for (let time = 0; time < times; time++) {
      const given = this.#begin()
      const ends = await Promise.all([this.#child(given), this.#child(given), this.#child(given)])
      // Each is done, or has found another one at work.
      for (const end of ends) if (end.kind !== 'done') throw new Error(JSON.stringify(end))
      resultOf(await this.#child(given))
      this.#compare(whole, given)
    }
    return this.tally
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true })
  }

  async #whole(): Promise<Whole> {
    const given = { ...this.#begin(), ways: { workers: 1 } }
    const { duration } = resultOf(await this.#child(given))
    const rows = this.#rows(given)
    if (rows.length < 100) throw new Error(`'${given.job}' has given ${rows.length} rows`)
    return { rows, hashes: this.#hashes(given), duration }
  }

  async #killUntilDone(whole: Whole): Promise<void> {
    const given = this.#begin()
    for (let kills = 0; ; kills++) {
      // What matters not may be different each time.
      const ways: Ways = { workers: this.#oneOf(0, 1, 2), ...this.#oneOf({}, { chunksize: 3 }, { window: 60 }) }
      const items = this.#oneOf(20, 100, 400)
      const end = await this.#child({ ...given, ways, items }, kills < MOST_KILLS ? this.#kill(whole) : undefined)
      if (end.kind === 'killed') {
        this.tally.kills++
        continue
      }
      const done = resultOf(end)
      if (done.result?.resumed === true) this.tally.wentOn++
      this.#compare(whole, given)
      // Once more: nothing is left to be done.
      const again = resultOf(await this.#child(given))
      if (again.result?.commits !== done.result?.commits) this.#differs(given, 'a run after the end has committed')
      this.#compare(whole, given)
      return
    }
  }

  /** At any time from the start to a little behind the expected end. */
  #kill({ duration }: Whole): Kill {
    return { since: 'begin', delay: duration * (1 + START_SHARE) * this.#random(), signal: 'SIGKILL' }
  }

  /** A new job in the store, and a folder for its files. */
  #begin(): ChildArguments {
    const { store, job, way } = this.#campaign
    const name = `job_${randomUUID().replaceAll('-', '')}`
    const output = join(this.#folder, name)
    mkdirSync(output)
    const inputs = join(this.#folder, 'inputs')
    return { store, job, name, inputs, output, ways: { workers: 1 }, items: 100, ...(way && { way }) }
  }

  #compare(whole: Whole, given: ChildArguments): void {
    const found = this.#rows(given)
    this.tally.jobs++
    this.tally.rows += found.length
    const at = whole.rows.findIndex((row, at) => row !== found[at])
    if (at >= 0 || found.length !== whole.rows.length)
      this.#differs(given, `${found.length} rows instead of ${whole.rows.length}, others from ${at}`)
    const files = differencesOf(whole.hashes, this.#hashes(given))
    if (files.length > 0) this.#differs(given, `other files: ${files.join(', ')}`)
  }

  #differs({ name }: ChildArguments, what: string): void {
    this.tally.differences.push(`${name}: ${what}`)
  }

  /** Of an unordered job, the order does not count. */
  #rows({ output }: ChildArguments): readonly string[] {
    const rows = JSON.parse(readFileSync(rowsPath(output), 'utf8')) as string[]
    return this.#isOrdered ? rows : rows.sort()
  }

  /** Of the files of failed items. */
  #hashes({ output }: ChildArguments): Hashes {
    return new Map([...hashesOf(output, this.#isOrdered)].filter(([name]) => !/\.db(-\w+)?$/.test(name)))
  }

  get #isOrdered(): boolean {
    return JOBS[this.#campaign.job]?.isOrdered ?? false
  }

  #child(given: ChildArguments, kill?: Kill): Promise<KillableEnd<ChildResult>> {
    return runKillable<ChildResult>(PROGRAM, given, kill, this.#campaign.node)
  }

  #oneOf<const T extends readonly unknown[]>(...values: T): T[number] {
    return values[Math.floor(this.#random() * values.length)]
  }
}

function resultOf(end: KillableEnd<ChildResult>): ChildResult {
  if (end.kind === 'done') return end.result
  throw new Error(`A run has not ended by itself: ${JSON.stringify(end)}`)
}
