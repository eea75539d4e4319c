/**
 * What it costs to send a thousand values to another thread, by kind: encode, post, receive and decode, and the same by
 * structured clone. Both ends are in this process. "There and back" also sends what has arrived: V8 takes arrays out of
 * a clone in a form that is slower to clone again.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { pack, unpack, type Data } from '#dist/codec/codec.js'
import { markdown } from '../harness/report.js'
import { median } from './clock.js'

const VALUES = 1_000
const REPEATS = 50
/** By then V8 has compiled the code, and knows the forms of arrays that it meets. */
const WARM_UP_MS = 800

const KINDS: readonly (readonly [what: string, make: (i: number) => unknown])[] = [
  ['record of 3 fields', (i) => ({ id: i, name: `name ${i}`, size: i * 3 })],
  ['record with 5 integers in an array', (i) => ({ id: i, list: listOf(5, (j) => i + j) })],
  ['record in an array', (i) => [{ id: i, a: 1, b: 2, c: 3, d: 4 }]],
  ['`[x, y]`, fractions', (i) => [i + 0.5, i + 1.25]],
  ['`[x, y, z]`, integers', (i) => [i, i + 1, i * 3]],
  ['`[string, number]`', (i) => [`key ${i}`, i]],
  ["`['a', number, number]`", (i) => ['a', i, i * 2]],
  ['10 fractions', (i) => listOf(10, (j) => i + j / 10)],
  ['0 to 19 fractions', (i) => listOf(i % 20, (j) => i + j / 10)],
  ['100 integers', (i) => listOf(100, (j) => i + j)],
  ['3 arrays of 2 integers', (i) => listOf(3, (j) => [i, j])],
  ['1 to 4 strings', (i) => listOf(1 + (i % 4), (j) => `text ${i}${j}`)],
  ['20 to 29 strings', (i) => listOf(20 + (i % 10), (j) => `text ${i}${j}`)],
  ['match of an expression, with its named fields', (i) => /(\d)(\d)?/.exec(`at ${i}`)],
]

function listOf<T>(length: number, make: (j: number) => T): T[] {
  return Array.from({ length }, (_, j) => make(j))
}

type Send = (values: unknown[]) => unknown[]

export async function costsOfValues(rounds: number): Promise<string> {
  const { port1, port2 } = new MessageChannel()
  try {
    const rows: string[][] = []
    for (const [what, make] of KINDS) {
      const ways: Send[] = [(values) => structuredClone(values), (values) => sent(values, port1, port2)]
      const once: number[] = []
      const twice: number[] = []
      for (const send of ways) {
        // Each way has its own values: where code reads arrays of several forms, V8 gives them a common one.
        const values = listOf(VALUES, make)
        for (const start = performance.now(); performance.now() < start + WARM_UP_MS;) send(send(values))
        once.push(await cost(rounds, () => send(values)))
        twice.push(await cost(rounds, () => send(send(values))))
      }
      rows.push([what, ...columnsOf(once), ...columnsOf(twice)])
    }
    return markdown(
      ['value', 'clone', 'millrace', 'times as fast', 'there and back', 'millrace', 'times as fast'],
      rows,
    )
  } finally {
    port1.close()
  }
}

/** Through a port whose other end is here, too. */
export function sent(values: readonly unknown[], port: MessagePort, other: MessagePort): unknown[] {
  const { data, transfer } = pack(values)
  port.postMessage(data, transfer)
  const arrived = unpack((receiveMessageOnPort(other) as { message: Data }).message)
  if (arrived.length !== values.length) throw new Error('Cannot measure as values are missing')
  return arrived
}

/** CPU nanoseconds for each value, of all threads of the process. */
async function cost(rounds: number, work: () => unknown): Promise<number> {
  const { cpu } = await median(rounds, () => {
    for (let i = 0; i < REPEATS; i++) work()
  })
  return (cpu * 1e6) / REPEATS / VALUES
}

function columnsOf([clone = NaN, ours = NaN]: readonly number[]): string[] {
  return [`${clone.toFixed(0)} ns`, `${ours.toFixed(0)} ns`, (clone / ours).toFixed(2)]
}
