/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util'
import { CASES } from './cases/index.js'

export interface Arguments {
  /** In the order in which they run. */
  readonly cases: readonly string[]
  readonly rounds: number
  readonly scale: number
  readonly list: boolean
  /** Only millrace, plain loops, and the physical floor. */
  readonly floor: boolean
  /** Full size, and enough rounds: results that can be published. */
  readonly fullSize: boolean
}

export const USAGE = `npm run bench [-- CASE… --rounds N --scale F --list]
npm run bench -- floor [CASE… --rounds N --scale F]
npm run bench -- break-even

  CASE         the cases to run; without, all of them
  --rounds N   so many rounds that count (default 5, at least 1)
  --scale F    the sizes of the cases times F, for a quick look (more than 0, at most 1)
  --list       names the cases, and their contenders and goals
  floor        compares only millrace, plain loops, and the same work by hand on bare threads; and what things cost
  break-even   from which size of input, and which time per item, threads are faster than a plain loop`

const FLOOR = 'floor'

/** Throws a `TypeError` that names the mistake. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      list: { type: 'boolean', default: false },
    },
  })
  const floor = positionals[0] === FLOOR
  const names = floor ? positionals.slice(1) : positionals
  const unknown = names.filter((name) => !(CASES as readonly string[]).includes(name))
  if (unknown.length > 0)
    throw new TypeError(`There is no case ${unknown.join(', ')}: the cases are ${CASES.join(', ')}`)
  const [rounds, scale] = [Number(values.rounds), Number(values.scale)]
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds must be an integer of at least 1: received ${values.rounds}`)
  if (!(scale > 0 && scale <= 1))
    throw new TypeError(`--scale must be more than 0 and at most 1: received ${values.scale}`)
  const cases = names.length === 0 ? CASES : CASES.filter((name) => names.includes(name))
  return {
    cases,
    rounds,
    scale,
    list: values.list,
    floor,
    fullSize: scale === 1 && rounds >= 5,
  }
}
