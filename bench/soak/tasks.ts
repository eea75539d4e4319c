/** The tasks of the soak: most items do a little work, and some cause a fault. */
import { tasks } from 'millrace'

export type Mood = 'ok' | 'throw' | 'reject' | 'exit' | 'crash' | 'loop' | 'hang' | 'unclonable'

export interface Load {
  readonly n: number
  readonly mood: Mood
}

export interface Answer {
  readonly n: number
  readonly text: string
}

function work({ n, mood }: Load): Answer | Promise<Answer> {
  switch (mood) {
    case 'ok':
      return { n, text: `answer ${n}` }
    case 'throw':
      throw new RangeError(`item ${n}`)
    case 'reject':
      return Promise.reject(new RangeError(`item ${n}`))
    case 'exit':
      process.exit(3)

    case 'crash':
      setTimeout(() => {
        throw new Error(`late, of item ${n}`)
      })
      return new Promise(() => {})
    case 'loop':
      for (;;);
    case 'hang':
      return new Promise(() => {})
    case 'unclonable':
      return { n, text: (() => n) as never }
  }
}

export const { answer, isEven, several, sum } = tasks(import.meta.url, {
  answer: work,
  isEven: async (load: Load) => (await work(load)).n % 2 === 0,
  several: async (load: Load) => Array.from({ length: load.n % 3 }, () => load.n).concat((await work(load)).n),
  sum: async (total: number, load: Load) => total + (await work(load)).n,
})
