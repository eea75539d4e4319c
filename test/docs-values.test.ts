/** The table of docs/values.md: each of its rows is true, for items and for results. */
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { NotSerializableError, Pool } from 'millrace'
import { echo, kinds, makeOne } from './fixtures/kinds.js'

const pool = new Pool({ workers: 1, name: 'values' })
afterAll(() => pool.terminate())

const page = readFileSync(new URL('../../docs/values.md', import.meta.url), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, kind = '', arrives = '']): [kind: string, arrives: string] => [kind, arrives])

/** The value that arrives, if it differs from the sent one. */
const others: Readonly<Record<string, (arrived: unknown) => unknown>> = {
  'plain object': (value) => {
    expect(value).toStrictEqual({ a: 1, b: 2 })
  },
  'instance of a class with data fields': (value) => {
    expect(value).toStrictEqual({ x: 1, y: 2 })
  },
  'instance of a class that extends `Error`': (value) => {
    expectError(value, Error, 'told')
  },
  '`Error` of a built-in class': (value) => {
    expectError(value, RangeError, 'told')
  },
  'instance of a class that extends `Map`, `Set`, `Array`, `Date` or a typed array': (value) => {
    expect([new Map([[1, 2]]), new Set([1]), [1, 2], new Date(5), new Float64Array([1, 2])].map(shown)).toContain(
      shown(value),
    )
  },
}

function expectError(value: unknown, type: typeof Error, message: string): void {
  expect(value).toBeInstanceOf(type)
  expect((value as Error).message).toBe(message)
  expect(Object.keys(value as Error)).toEqual([])
}

function shown(value: unknown): string {
  return inspect(value, { depth: 5 })
}

/** Random numbers differ from thread to thread. */
function isRandom(value: unknown): boolean {
  return /Key|Lock|Queue|Value/.test(shown(value))
}

it('has a row for each kind', () => {
  expect(rows.map(([kind]) => kind)).toEqual(Object.keys(kinds))
})

describe.each(rows)('%s', (kind, arrives) => {
  const makers = kinds[kind] ?? []
  const isRefused = arrives.startsWith('refused')

  it(`arrives as: ${arrives}`, async () => {
    for (const [at, make] of makers.entries()) {
      const value = make()
      const sent = pool.map(echo, [value])
      const returned = pool.map(makeOne, [[kind, at] as const])
      if (isRefused) {
        for (const [promise, text] of [
          [sent, /^Cannot send item 0 to a worker as .+: \w/],
          [returned, /^Cannot return the result of item 0 as .+: \w/],
        ] as const) {
          const error: unknown = await promise.then(shown, (reason: unknown) => reason)
          expect(error).toBeInstanceOf(NotSerializableError)
          expect((error as Error).message).toMatch(text)
        }
        continue
      }
      for (const [arrived] of [await sent, await returned]) {
        const expectation = others[kind]
        if (expectation !== undefined) expectation(arrived)
        else {
          expect(Object.getPrototypeOf(arrived) === Object.getPrototypeOf(value) || isOfClass(arrived, value)).toBe(
            true,
          )
          if (!isRandom(value)) expect(shown(arrived)).toBe(shown(value))
        }
      }
    }
  })
})

/** For some classes, Node makes clones of a class that extends them. */
function isOfClass(arrived: unknown, value: unknown): boolean {
  return (
    typeof arrived === 'object' && arrived instanceof (Object(value) as { constructor: new () => object }).constructor
  )
}
