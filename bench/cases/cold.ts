/** The first result of a pool that was not used before, compared with the start of a bare thread. */
import { Worker } from 'node:worker_threads'
import type { Case, Contender } from '../harness/case.js'
import { numbers } from '../work/numbers.js'

/** The first of many items: the pool must start as for real work. */
const ITEMS = 1_000

/** Times only the work: for all contenders, the imports are loaded before. */
function contender(name: string, load: () => Promise<() => Promise<number>>): Contender<null> {
  return {
    name,
    open: async () => {
      const work = await load()
      return {
        run: async () => {
          const start = performance.now()
          const answer = await work()
          return { figure: performance.now() - start, answer }
        },
      }
    },
  }
}

const millrace = contender('millrace', async () => {
  const { imap } = await import('millrace')
  const { increment } = await import('../work/tiny-task.js')
  return async () => {
    const stream = imap(increment, numbers(ITEMS))
    const { value } = await stream.next()
    // Not awaited: only the first result counts.
    void stream.return()
    return value ?? NaN
  }
})

/** From `new Worker()` to the message that the worker posts at once. */
function thread(name: string, ...args: ConstructorParameters<typeof Worker>): Contender<null> {
  const start = (): Promise<number> =>
    new Promise((resolve, reject) => {
      new Worker(...args).once('message', resolve).once('error', reject)
    })
  return contender(name, () => Promise.resolve(start))
}

const piscina = contender('piscina', async () => {
  const { Piscina } = await import('piscina')
  const filename = new URL('../work/tiny-function.js', import.meta.url).href
  return () => new Piscina({ filename }).run(0) as Promise<number>
})

const tinypool = contender('tinypool', async () => {
  const { Tinypool } = await import('tinypool')
  const filename = new URL('../work/tiny-function.js', import.meta.url).href
  return () => new Tinypool({ filename }).run(0) as Promise<number>
})

const coldCase: Case<null> = {
  name: 'cold',
  title: 'first result of a cold pool',
  unit: { name: 'ms', digits: 1, better: 'less' },
  cold: true,
  roundsTimes: 4,
  prepare: () => ({ parameters: null, answer: 1, about: 'each time in a new process, with its imports done' }),
  contenders: [
    { ...millrace, kind: 'millrace' },
    { ...thread('bare thread', new URL('../work/tiny-thread.js', import.meta.url)), kind: 'floor' },
    // Node starts it a little faster, because it is neither a file nor a module. A pool cannot do that.
    thread('bare thread, script', "require('node:worker_threads').parentPort.postMessage(1)", { eval: true }),
    piscina,
    tinypool,
  ],
  goals: [{ ours: 'millrace', against: 'bare thread', measure: 'cost', atMost: 1.3 }],
}

export default coldCase
