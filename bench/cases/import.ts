/** The import of a package, in a process that has only started. */
import type { Case, Contender } from '../harness/case.js'

function contender(name: string, load: () => Promise<object>): Contender<null> {
  return {
    name,
    open: () => ({
      run: async () => {
        const start = performance.now()
        const loaded = await load()
        return { figure: performance.now() - start, answer: Object.keys(loaded).length > 0 }
      },
    }),
  }
}

const importCase: Case<null> = {
  name: 'import',
  title: 'import of the package',
  unit: { name: 'ms', digits: 1, better: 'less' },
  cold: true,
  roundsTimes: 4,
  prepare: () => ({ parameters: null, answer: true, about: 'each time in a new process' }),
  contenders: [
    contender('millrace', () => import('millrace')),
    contender('millrace/task', () => import('millrace/task')),
    contender('piscina', () => import('piscina')),
    contender('tinypool', () => import('tinypool')),
    contender('workerpool', () => import('workerpool')),
    contender('poolifier', () => import('poolifier')),
    contender('threads', () => import('threads')),
  ],
  goals: [{ ours: 'millrace', measure: 'figure', atMost: 30 }],
}

export default importCase
