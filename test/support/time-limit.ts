/**
 * A limit for every test and hook, because the runner does not have one. The contract says "never a hang". So a hang
 * must fail the test, not stop the run. The limit is far longer than any test needs.
 */
// It is not used here, but it must be loaded before any worker starts: one process runs many files, on the same default
// pool.
import './gates.js'
import './tries.js'
import { times } from './volume.js'

const LIMIT = times(60_000, 180_000)

type Body = () => unknown
type Definer = ((title: string, body: Body) => void) & {
  readonly each: (...table: readonly unknown[]) => (title: string, body: (...row: unknown[]) => unknown) => void
}
type Hook = (body: Body) => void

function limited(title: string, body: Body): Body {
  return async () => {
    let timer: NodeJS.Timeout | undefined
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`Test did not end within ${LIMIT} ms: ${title}`))
      }, LIMIT)
    })
    try {
      await Promise.race([body(), expired])
    } finally {
      clearTimeout(timer)
    }
  }
}

const globals = globalThis as unknown as Record<'it' | 'test', Definer> &
  Record<'beforeAll' | 'beforeEach' | 'afterAll' | 'afterEach', Hook>

for (const name of ['it', 'test'] as const) {
  const define = globals[name]
  const one = (title: string, body: Body): void => {
    define(title, limited(title, body))
  }
  const each: Definer['each'] = (...table) => {
    const defineEach = define.each(...table)
    return (title, body) => {
      defineEach(title, (...row) => limited(title, () => body(...row))())
    }
  }
  globals[name] = Object.assign(one, define, { each })
}
for (const name of ['beforeAll', 'beforeEach', 'afterAll', 'afterEach'] as const) {
  const define = globals[name]
  globals[name] = (body) => {
    define(limited(name, body))
  }
}
