/** The items of an input that are wanted. The others are not decoded, so it does not matter whether they can be. */
import type { Source } from '../../io/source.js'
import { sample } from '../../verbs/sample.js'
import type { PlannedInput } from '../plan.js'
import { withoutFirst } from './without-first.js'

/** @param source Gives records or lines. */
export function someOf(source: Source<unknown>, { skip, sample: share, seed = 0 }: PlannedInput): Source<unknown> {
  const rest = withoutFirst(source, skip)
  return share === undefined ? rest : sample(share, rest, { seed })
}
