/**
 * The state of a barrier in one word: whether the round is over (1 bit), how many calls have come (16), the number of
 * the round (15).
 *
 * A round that is complete is followed by the next one at once: the word says nothing of it any more. A round that is
 * over otherwise has, instead of the count, how it ended: BROKEN, which only `reset()` ends; or SENT_AWAY, which
 * anybody ends who sees it.
 */

const OVER = 1
/** One call more. */
export const ONE = 2
/** The most calls there can be in a round. */
export const MAX_PARTIES = 0xffff
const ROUNDS = 0x7fff
const COUNT_BITS = MAX_PARTIES << 1
const BROKEN = 0
const SENT_AWAY = 1

/** Whether calls of the round do not wait any more. */
export function isOver(state: number): boolean {
  return (state & OVER) !== 0
}

export function isBroken(state: number): boolean {
  return isOver(state) && countOf(state) === BROKEN
}

export function isSentAway(state: number): boolean {
  return isOver(state) && countOf(state) === SENT_AWAY
}

/** How many have come, in a round that is on. */
export function countOf(state: number): number {
  return (state >>> 1) & MAX_PARTIES
}

/** The round, from 1. */
export function ticketOf(state: number): number {
  return (state >>> 17) + 1
}

export function nextRound(state: number): number {
  return ((ticketOf(state) & ROUNDS) << 17) | 0
}

export function broken(state: number): number {
  return (state & ~COUNT_BITS) | (BROKEN << 1) | OVER
}

export function sentAway(state: number): number {
  return (state & ~COUNT_BITS) | (SENT_AWAY << 1) | OVER
}
