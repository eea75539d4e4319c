/** Expressions of the command line: which names they use, and their functions. */
import { compileExpression, mentions, PLACE_NAMES } from '#dist/cli/run/expression.js'

const place = { index: 7, file: 'a.log', record: 3 }
const evaluate = (text: string, item: unknown, modules = new Map<string, unknown>()): unknown =>
  compileExpression(text, PLACE_NAMES, modules)(item, place)

describe('an expression', () => {
  it('sees the item, its place and modules', () => {
    expect(evaluate('d.a + 1', { a: 1 })).toBe(2)
    expect(evaluate('[i, file, record, m.x]', 0, new Map([['m', { x: 'y' }]]))).toEqual([7, 'a.log', 3, 'y'])
    expect(evaluate('{ a: d }', 1)).toEqual({ a: 1 })
    expect(evaluate('d // the item', 1)).toBe(1)
  })

  it('is asynchronous only if it awaits itself', async () => {
    for (const text of ["'await'", 'd.await', '(async () => await d)']) {
      expect(evaluate(text, {})).not.toBeInstanceOf(Promise)
    }
    expect(evaluate('await d', 1)).toBeInstanceOf(Promise)
    expect(await evaluate("(await import('node:path')).basename(d)", '/a/b')).toBe('b')
  })

  it('is strict code: a forgotten declaration is an error', () => {
    expect(() => evaluate('unknown = d', 1)).toThrow(ReferenceError)
  })

  it('mentions a name, or certainly does not', () => {
    const mentioned = (text: string): boolean => PLACE_NAMES.some((name) => mentions(text, name))
    for (const text of ['d.i', 'd?.file', 'id + record_', '$i']) expect([text, mentioned(text)]).toEqual([text, false])
    for (const text of ['i', '[...i]', '`${file}`', 'f(record)', '\\u0069', 'eval(d)', 'd.x /i']) {
      expect([text, mentioned(text)]).toEqual([text, true])
    }
  })
})
