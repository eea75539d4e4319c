/** Arrays as items and as results: to another thread and back, as the codec sends them and by structured clone. */
import { isDeepStrictEqual } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import { sent } from '../floor/costs-of-values.js'
import type { Case, Contender } from '../harness/case.js'

const VALUES = 1_000
const REPEATS = 100

const KINDS: readonly ((i: number) => unknown)[] = [
  (i) => [i + 0.5, i + 1.25],
  (i) => [`key ${i}`, i],
  (i) => [i, i + 1, i * 3],
  (i) => Array.from({ length: 10 }, (_, j) => i + j / 10),
  (i) => Array.from({ length: 3 }, (_, j) => [i, j]),
]

interface Work {
  readonly repeats: number
}

type Send = (values: readonly unknown[]) => unknown[]

/** Each kind by itself, as a stream has values of one kind. Nanoseconds for a value there and back. */
function contender(name: string, sender: () => Send): Contender<Work> {
  return {
    name,
    open: ({ repeats }) => {
      const send = sender()
      const lists = KINDS.map((make) => Array.from({ length: VALUES }, (_, i) => make(i)))
      const run = (): boolean[] => {
        let arrived = lists
        for (let i = 0; i < repeats; i++) arrived = lists.map((values) => send(send(values)))
        return arrived.map((values, kind) => isDeepStrictEqual(values, lists[kind]))
      }
      return {
        run: () => {
          const start = performance.now()
          const answer = run()
          const figure = ((performance.now() - start) * 1e6) / repeats / VALUES / KINDS.length
          return Promise.resolve({ figure, answer })
        },
      }
    },
  }
}

const arraysCase: Case<Work> = {
  name: 'arrays',
  title: 'arrays to another thread and back',
  unit: { name: 'ns', digits: 0, better: 'less' },
  prepare: (scale) => ({
    parameters: { repeats: Math.ceil(REPEATS * scale) },
    answer: KINDS.map(() => true),
    about: `[x, y], [key, n], [x, y, z], 10 fractions, 3 arrays of 2: ${VALUES.toLocaleString('en')} of each at a time`,
  }),
  contenders: [
    contender('millrace', () => {
      const { port1, port2 } = new MessageChannel()
      port1.unref()
      return (values) => sent(values, port1, port2)
    }),
    contender('structured clone', () => (values) => structuredClone([...values])),
  ],
  goals: [{ ours: 'millrace', against: 'structured clone', measure: 'advantage', atLeast: 2 }],
}

export default arraysCase
