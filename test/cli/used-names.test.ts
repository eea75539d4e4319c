/** Which names an expression uses, and what follows for the passes of a command line. */
import { readArguments } from '#dist/cli/arguments/parse.js'
import type { PassData } from '#dist/cli/run/pass-data.js'
import { passesOf } from '#dist/cli/run/passes.js'
import { PLACE_NAMES } from '#dist/cli/run/expression.js'
import { usedNames } from '#dist/cli/run/used-names.js'

const used = (text: string): string => usedNames(text, PLACE_NAMES).join(' ')

describe('an expression uses a name', () => {
  it.each([
    ['i', 'i'],
    ['[...i]', 'i'],
    ['d.x /i', 'i'],
    ['{ i }', 'i'],
    ['d[i]', 'i'],
    ['`${file}:${record}`', 'file record'],
    ['a.map((v, i) => v) + i', 'i'],
    ['(() => { { const i = 1 } return i })()', 'i'],
    ['((file = record) => file)()', 'record'],
    ['\\u0069', 'i'],
    ['await i // i', 'i'],
    ['eval("i")', 'i file record'],
    ['class { [i] = 1 }', 'i'],
  ])('in %s', (text, names) => {
    expect(used(text)).toBe(names)
  })

  it.each([
    '/x/i.test(d)',
    '/x/gi.test(d)',
    'd.replace(/[i]/, "i")',
    'd.i + d?.i + d.file',
    '{ i: 1, file: 2, record() {} }',
    "'an i' + `the file`",
    'd.map((v, i) => v * i)',
    'd.map(({ record, ...file }, [i]) => i)',
    '(function i(file) { return i(file) })',
    '(() => { for (const i of d) return i })()',
    '(() => { try { d() } catch (i) { return i } })()',
    'd /* i */ // file',
    'd.\ni',
    '(() => { i: for (;;) break i })()',
  ])('not in %s', (text) => {
    expect(used(text)).toBe('')
  })

  it('and nothing of it is run', () => {
    expect(used('(globalThis.hasRun = i)')).toBe('i')
    expect(globalThis).not.toHaveProperty('hasRun')
  })
})

function passes(...args: readonly string[]): readonly PassData[] {
  const request = readArguments(args)
  if (!('plan' in request)) throw new Error('It is no run')
  return passesOf(request.plan, true)
}

describe('the passes', () => {
  it('are one unless a later stage counts its items', () => {
    for (const text of ['/x/i.test(d)', 'd.i', 'd.a.map((v, i) => i)', '"i"']) {
      expect([text, passes('-w', 'd', '-e', text).length]).toEqual([text, 1])
    }
    expect(passes('-w', 'i', '-e', 'd').length).toBe(1)
    expect(passes('-w', 'd', '-e', 'i', '-e', 'd', '-w', 'i').length).toBe(3)
  })

  it('carry the place of an item to what may ask for it', () => {
    const carry = (...args: readonly string[]): readonly boolean[] => passes(...args).map(({ carries }) => carries)
    expect(carry('-w', 'd', '-e', 'i')).toEqual([false, false])
    expect(carry('-w', 'd', '-e', '[i, file]')).toEqual([true, false])
    expect(carry('-w', 'd', '-e', 'i', '-w', 'i', '-e', 'record')).toEqual([true, true, false])
    // A task may ask for it by its context, and the fold, too.
    expect(carry('-w', 'd', '-e', 'i', '-m', 'node:path#basename')).toEqual([true, false])
    expect(carry('-w', 'd', '--head', '3', '-r', 'node:path#win32')).toEqual([true, false])
  })
})
