/** The names of streams, subjects and consumers at the broker: who may use which is said by permissions for these names. */
import { randomBytes } from 'node:crypto'
import type { ConsumerOptions, StreamOptions } from './broker.js'

/** How long a result may stay unacknowledged; and how long its consumer outlives a producer that is gone. */
export const RESULTS_CONSUMER: Omit<ConsumerOptions, 'filter'> = { ackWait: 30_000, inactive: 15_000 }
/** The same for units, and for the consumer of a module without hosts. */
export const TASKS_CONSUMER: Omit<ConsumerOptions, 'filter'> = { ackWait: 5_000, inactive: 7 * 24 * 3_600_000 }

export interface NameOptions {
  readonly namespace: string
  /** Which hosts. */
  readonly group: string
}

/** Whose a unit is, and which module runs it. */
export interface UnitAddress {
  readonly module: string
  readonly name: string
  readonly producer: string
}

export class Names {
  /** The stream of units, and the stream of results. */
  readonly tasks: string
  readonly results: string
  /** Where hosts answer the question who they are. */
  readonly hosts: string
  readonly #units: string
  readonly #results: string
  readonly #cancels: string

  constructor({ namespace, group }: NameOptions) {
    this.tasks = `millrace-${namespace}-tasks-${group}`
    this.results = `millrace-${namespace}-results`
    this.hosts = `mr.${namespace}.hosts`
    this.#units = `mr.${namespace}.t.${group}`
    this.#results = `mr.${namespace}.r`
    this.#cancels = `mr.${namespace}.x`
  }

  get streams(): readonly StreamOptions[] {
    return [
      { name: this.tasks, subjects: [`${this.#units}.>`], retention: 'workqueue' },
      // Results of a producer that is gone have no consumer, and vanish.
      { name: this.results, subjects: [`${this.#results}.>`], retention: 'interest' },
    ]
  }

  unit({ module, name, producer }: UnitAddress, number: number): string {
    return `${this.#units}.${module}.${name}.${producer}.${number}`
  }

  /** All units of a producer. */
  unitsOf({ name, producer }: Omit<UnitAddress, 'module'>): string {
    return `${this.#units}.*.${name}.${producer}.*`
  }

  /** All units for a module. */
  unitsFor(module: string): string {
    return `${this.#units}.${module}.>`
  }

  result({ name, producer }: Omit<UnitAddress, 'module'>): string {
    return `${this.#results}.${name}.${producer}`
  }

  /** Where a producer tells hosts of runs that have ended. */
  cancel({ name, producer }: Omit<UnitAddress, 'module'>): string {
    return `${this.#cancels}.${name}.${producer}`
  }

  get cancels(): string {
    return `${this.#cancels}.>`
  }

  /** Undefined: not the subject of a unit. */
  addressOf(subject: string): UnitAddress | undefined {
    if (!subject.startsWith(`${this.#units}.`)) return undefined
    const [module, name, producer, number, ...rest] = subject.slice(this.#units.length + 1).split('.')
    if (!module || !name || !producer || !number || rest.length > 0) return undefined
    return { module, name, producer }
  }
}

/** 128 random bits: what nobody else can guess. */
export function randomToken(): Uint8Array {
  return new Uint8Array(randomBytes(16))
}

/** As part of a subject, or as the name of a consumer. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
