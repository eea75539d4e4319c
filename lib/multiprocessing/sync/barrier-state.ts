/**
 * The state of a barrier in one word. 1 bit says whether the round is over, 16 bits count the calls that have come, and
 * 15 bits are the number of the round.
 *
 * When a round is complete, the word changes to the next round at once. A round that ends in another way has its reason
 * in the place of the count. BROKEN stays until `reset()`. SENT_AWAY is ended by each thread that sees it.
 */

const OVER = 1
/** Adds one call to the count. */
export const ONE = 2
/** The most calls of a round. */
export const MAX_PARTIES = 0xffff
const ROUNDS = 0x7fff
const COUNT_BITS = MAX_PARTIES << 1
const BROKEN = 0
const SENT_AWAY = 1

/** Whether the calls of the round no longer wait. */
export function isOver(state: number): boolean {
  return (state & OVER) !== 0
}

export function isBroken(state: number): boolean {
  return isOver(state) && countOf(state) === BROKEN
}

export function isSentAway(state: number): boolean {
  return isOver(state) && countOf(state) === SENT_AWAY
}

/** The count of calls that have come in a round that is not over. */
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
