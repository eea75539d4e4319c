/**
 * P6, the audit: finds units that the broker has lost. A broker may be ended at the wrong moment, or its store be
 * replaced. Then it may not have a unit that it has confirmed, or have it and never deliver it.
 */
import type { Broker } from './broker.js'
import { faultOf } from './attempts.js'
import type { Clock } from './clock.js'
import type { Names } from './names.js'

/** How long a unit must be absent, by two audits: its results may be on their way. In milliseconds. */
const ABSENT_MS = 1_000
/** How long a unit is out before audits begin, and how long they are apart. In milliseconds. */
const PERIOD_MS = 5_000

/** A unit that was sent, as far as an audit needs it. */
export interface AuditedUnit {
  readonly subject: string
  readonly module: string
  readonly sentAt: number
  /** Its place in the stream, and when the broker has confirmed it; undefined while it is being published. */
  stored: { readonly sequence: number; readonly at: number } | undefined
  /** When it was first found absent. */
  absentSince: number | undefined
}

interface AuditOptions {
  readonly broker: Broker
  readonly names: Names
  readonly clock: Clock
  /** The subjects of all units that it audits. */
  readonly filter: string
}

export class Audit<U extends AuditedUnit> {
  readonly #options: AuditOptions
  /** The oldest one first. */
  readonly #out: ReadonlyMap<number, U>
  readonly #publishAgain: (unit: U) => void
  #isRunning = false
  #last = -Infinity
  /** Whether the last one has found a unit absent. */
  #hasFound = false
  count = 0

  constructor(options: AuditOptions, out: ReadonlyMap<number, U>, publishAgain: (unit: U) => void) {
    this.#options = options
    this.#out = out
    this.#publishAgain = publishAgain
  }

  /** To be called every second or so. */
  async runIfDue(): Promise<void> {
    const now = this.#options.clock.now()
    const [oldest] = this.#out.values()
    const isOld = oldest !== undefined && now - oldest.sentAt > PERIOD_MS
    const wait = this.#hasFound ? ABSENT_MS : PERIOD_MS
    if ((isOld || this.#hasFound) && now - this.#last >= wait) await this.run()
  }

  async run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#last = this.#options.clock.now()
    try {
      await this.#compare(this.#last)
      this.count++
    } catch (error) {
      // The next one will tell.
      faultOf(error)
    } finally {
      this.#isRunning = false
    }
  }

  async #compare(began: number): Promise<void> {
    const { broker, names, clock, filter } = this.#options
    const listed = (await broker.subjects(names.tasks, filter)) ?? new Set()
    const floors = new Map<string, number>()
    for (const module of new Set([...this.#out.values()].map((unit) => unit.module))) {
      // A broker that was killed may still list a message that it has seen acknowledged, and never deliver it.
      floors.set(module, (await broker.consumerState(names.tasks, module))?.floor ?? 0)
    }
    const now = clock.now()
    this.#hasFound = false
    for (const unit of this.#out.values()) {
      const { stored, subject, module, absentSince } = unit
      if (stored === undefined || stored.at >= began) continue
      const isAbsent = !listed.has(subject) || stored.sequence <= (floors.get(module) ?? 0)
      unit.absentSince = isAbsent ? (absentSince ?? now) : undefined
      if (!isAbsent) continue
      this.#hasFound = true
      if (absentSince !== undefined && now - absentSince >= ABSENT_MS) this.#publishAgain(unit)
    }
  }
}
