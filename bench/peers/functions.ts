/**
 * The functions that the workers of the pools run, for one item or for a batch made by hand. Millrace's tasks run the
 * same ones.
 */
import { busyFor, type Interval } from '../work/interval.js'
import { parse, type Hit } from '../work/parse.js'
import { spin } from '../work/spin.js'
import { add, none, type Totals } from '../work/totals.js'

export { spin }

export function parseAll(lines: string[]): Hit[] {
  return lines.map(parse)
}

export function tallyAll(lines: string[]): Totals {
  return lines.reduce((totals, line) => add(totals, parse(line)), none())
}

export function spinAll(items: number[]): number[] {
  return items.map(spin)
}

export function rootAll(items: number[]): number[] {
  return items.map(Math.sqrt)
}

export function noOp(x: number): number {
  return x
}

export function echoBytes(bytes: Uint8Array): Uint8Array {
  return bytes
}

export function millisecond(): Interval {
  return busyFor(1)
}
