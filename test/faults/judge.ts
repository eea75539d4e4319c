/** The sequential model: a few lines of plain code say what a consumer must get, and check that it got it. */
import type { Outcome } from 'millrace'
import { numberOf } from '../fixtures/faults.js'
import { errorOf, isGood, valuesOf } from '../support/faults.js'
import type { Case } from '../support/model.js'

/** The results that a consumer got, and the error that ended them. */
export interface Ending {
  readonly values: readonly unknown[]
  readonly error: unknown
}

/** The results that the consumer must get for each item, as text. */
function expected({ verb, errors }: Pick<Case, 'verb' | 'errors'>, item: string, index: number): string[] {
  if (errors !== 'settle') return valuesOf(verb, item).map((value) => JSON.stringify(value))
  return [JSON.stringify(isGood(item) ? { index, value: numberOf(item) } : { index, item, error: errorOf(item) })]
}

function toldOf({ errors }: Pick<Case, 'errors'>, value: unknown): string {
  if (errors !== 'settle') return JSON.stringify(value)
  const outcome = value as Outcome<string, unknown>
  const { index } = outcome
  if (outcome.status === 'fulfilled') return JSON.stringify({ index, value: outcome.value })
  return JSON.stringify({ index, item: outcome.item, error: nameOf(outcome.reason) })
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error)
}

export type Judged = Pick<Case, 'verb' | 'errors' | 'ordered' | 'consumer' | 'throwsAt' | 'leavesAt'>

/** @returns The fault in the results of the items; `undefined` if there is none. */
export function judge(it: Judged, items: readonly string[], { values, error }: Ending): string | undefined {
  const read = items.slice(0, it.throwsAt)
  const failing = it.errors === 'throw' ? read.filter((item) => !isGood(item)) : []
  const [fails] = failing
  const before = it.ordered && fails !== undefined ? read.slice(0, read.indexOf(fails)) : read
  // A fold only has a last result.
  const isVoid = it.verb === 'reduce' && (fails !== undefined || it.throwsAt !== undefined)
  const wanted = isVoid ? [] : before.flatMap((item, index) => expected(it, item, index))
  const got = values.map((value) => toldOf(it, value))
  const name = error === undefined ? 'none' : nameOf(error)
  const leaves = it.consumer === 'break' || it.consumer === 'abort'
  const hasLeft = leaves && got.length === it.leavesAt
  if (leaves && got.length > it.leavesAt) return `${got.length} results after it left at ${it.leavesAt}`
  const errors = it.ordered && fails !== undefined ? [errorOf(fails)] : failing.map(errorOf)
  const ends = errors.length > 0 ? errors : [it.throwsAt === undefined ? 'none' : 'SourceError']
  if (hasLeft) ends.push(it.consumer === 'abort' ? 'AbortError' : 'none')
  if (!ends.includes(name)) return `it ended with ${name} instead of ${ends.join(' or ')}: ${describe(error)}`
  const isPartial = hasLeft || (!it.ordered && failing.length > 0)
  return it.ordered ? orderly(got, wanted, isPartial) : complete(got, wanted, isPartial)
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function orderly(got: readonly string[], wanted: readonly string[], isPartial: boolean): string | undefined {
  for (const [n, value] of got.entries()) {
    if (value !== wanted[n]) return `result ${n} is ${value} instead of ${wanted[n]}`
  }
  return isPartial || got.length === wanted.length ? undefined : `${got.length} results instead of ${wanted.length}`
}

function complete(got: readonly string[], wanted: readonly string[], isPartial: boolean): string | undefined {
  const left = new Map<string, number>()
  for (const value of wanted) left.set(value, (left.get(value) ?? 0) + 1)
  for (const value of got) {
    const count = left.get(value) ?? 0
    if (count === 0) return `${value} is there once too often`
    left.set(value, count - 1)
  }
  if (isPartial || got.length === wanted.length) return undefined
  return `${[...left].find(([, count]) => count > 0)?.[0]} is missing`
}
