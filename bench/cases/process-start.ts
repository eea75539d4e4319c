/** The first result of a pool of worker processes, compared with a bare child process. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Case, Contender } from '../harness/case.js'

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

function millrace(name: string, isolation: 'thread' | 'process'): Contender<null> {
  const work = contender(name, async () => {
    const { Pool } = await import('millrace')
    const { increment } = await import('../work/tiny-task.js')
    return () => new Pool({ workers: 1, isolation }).apply(increment, [0])
  })
  return { ...work, kind: 'millrace' }
}

const bare = contender('bare process', () => {
  const file = new URL('../work/tiny-process.js', import.meta.url)
  return Promise.resolve(async () => {
    const [message] = (await once(fork(file), 'message')) as [number]
    return message
  })
})

const tinypool = contender('tinypool, processes', async () => {
  const { Tinypool } = await import('tinypool')
  const filename = new URL('../work/tiny-function.js', import.meta.url).href
  return () =>
    new Tinypool({ filename, runtime: 'child_process', minThreads: 1, maxThreads: 1 }).run(0) as Promise<number>
})

const startCase: Case<null> = {
  name: 'process-start',
  title: 'first result of a cold pool of one worker process',
  unit: { name: 'ms', digits: 1, better: 'less' },
  cold: true,
  roundsTimes: 2,
  prepare: () => ({ parameters: null, answer: 1, about: 'each time in a new process, with its imports done' }),
  contenders: [
    millrace('millrace', 'process'),
    millrace('millrace, threads', 'thread'),
    { ...bare, kind: 'floor', floorOf: 'millrace' },
    tinypool,
  ],
  goals: [{ ours: 'millrace', measure: 'figure', atMost: 120 }],
}

export default startCase
