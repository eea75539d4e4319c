/**
 * Reads damaged messages of the wire format for a given time, or without end: `npm run stress -- wire --seconds 60 --seed 1`.
 * It ends with status 1 at the first one that gives another error than a `WireError`, takes 50 ms, or where memory grows.
 */
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { WireError } from '#dist/wire/wire-error.js'
import { randomOf } from './random.js'
import { damaged, MESSAGES, read, type Message } from './wire-messages.js'

const MAX_TIME_MS = 50
/** A pause of the machine does not come three times. */
const TRIES = 3
const RUNS = 200_000
const MAX_GROWTH = 64 * 2 ** 20

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
const seconds = Number(values.seconds ?? Infinity)
const first = Number(values.seed ?? 1)
if (!(seconds >= 0) || !Number.isInteger(first)) throw new TypeError('usage: wire [--seconds N] [--seed S]')

function timeOf(message: Message): number {
  const start = performance.now()
  try {
    read(message)
  } catch (error) {
    if (!(error instanceof WireError)) stop('Another error than a WireError', message, error)
  }
  return performance.now() - start
}

function stop(what: string, { kind, items, bytes }: Message, error?: unknown): never {
  console.error(`${what}, at seed ${seed}: a ${kind} of ${items}\n${Buffer.from(bytes).toString('hex')}`, error)
  process.exit(1)
}

let seed = first
let longest = 0
let base: number | undefined
const end = performance.now() + 1_000 * seconds
do {
  const random = randomOf(seed)
  for (let run = 0; run < RUNS; run++) {
    const message = damaged(
      MESSAGES[run % MESSAGES.length] ?? stop('No message', { kind: 'body', items: 0, bytes: new Uint8Array() }),
      random,
    )
    let time = timeOf(message)
    for (let again = 1; time > MAX_TIME_MS && again < TRIES; again++) time = Math.min(time, timeOf(message))
    if (time > MAX_TIME_MS) stop(`It took ${time.toFixed(0)} ms`, message)
    longest = Math.max(longest, time)
  }
  collect()
  const { heapUsed, external } = process.memoryUsage()
  // The first round makes what stays.
  base ??= heapUsed + external
  const growth = heapUsed + external - base
  if (growth > MAX_GROWTH) {
    console.error(`Memory has grown by ${growth} bytes since the first round, at seed ${seed}`)
    process.exit(1)
  }
  console.log(
    `seed ${seed}: ${RUNS} messages, longest ${longest.toFixed(1)} ms, memory grown by ${(growth / 2 ** 20).toFixed(1)} MiB`,
  )
} while (++seed && performance.now() < end)
