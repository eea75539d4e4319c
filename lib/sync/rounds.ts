/**
 * The state of a barrier in one word: whether it is broken (1 bit), how many calls have come (16), the number of the round (15).
 */

export const BROKEN = 1
/** One call more. */
export const ONE = 2
/** The most calls there can be in a round. */
export const MOST = 0xffff
const ROUNDS = 0x7fff

export function isBroken(state: number): boolean {
  return (state & BROKEN) !== 0
}

export function countOf(state: number): number {
  return (state >>> 1) & MOST
}

/** The round, from 1. */
export function ticketOf(state: number): number {
  return (state >>> 17) + 1
}

export function nextRound(state: number): number {
  return ((ticketOf(state) & ROUNDS) << 17) | 0
}
