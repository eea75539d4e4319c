/** Counts the items that have failed, by their reasons. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Diagnostics } from '../../index.js'
import { faultText } from './faults.js'

const CHANNEL = 'millrace:task:failure'
/** More reasons than this are mostly the same one with other data in it. */
const MAX_REASONS = 1_000
const MAX_REASON_LENGTH = 100

export class FailureCount implements Disposable {
  count = 0
  readonly #reasons = new Map<string, number>()

  constructor() {
    subscribe(CHANNEL, this.#note)
  }

  /** The most frequent reasons, with how often each occurred. */
  top(most: number): readonly (readonly [reason: string, times: number])[] {
    return [...this.#reasons].sort(([, one], [, other]) => other - one).slice(0, most)
  }

  readonly #note = (message: unknown): void => {
    const { error } = message as Diagnostics[typeof CHANNEL]
    this.count++
    const reason = faultText(error, undefined, false).slice(0, MAX_REASON_LENGTH)
    if (!this.#reasons.has(reason) && this.#reasons.size >= MAX_REASONS) return
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
  };

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.#note)
  }
}
