/** The plan of a command line as text. */
import { readArguments } from '#dist/cli/arguments/parse.js'
import { planText } from '#dist/cli/run/dry-run.js'
import { passesOf } from '#dist/cli/run/passes.js'
import { withEntries } from '#dist/cli/run/entries.js'

const inputs = { sources: [], format: 'lines', paths: ['a.txt'], names: ['a.txt'], size: 1 } as const

function planOf(...args: readonly string[]): readonly string[] {
  const request = readArguments(args)
  if (!('plan' in request)) throw new Error('It is no run')
  return planText(request.plan, args, inputs, passesOf(request.plan, true), false, undefined).trimEnd().split('\n')
}

it('has one line for each part, which cannot change a terminal', () => {
  const rows = planOf('-e', "d +\n'\x1b[31m'", 'a.txt', '-o', 'a\x07.txt', '-j', '2')
  expect(rows).toEqual([
    "command millrace -e $'d +\\n\\'\\u001b[31m\\'' a.txt -o $'a\\u0007.txt' -j 2",
    'input   a.txt as lines',
    "stage   map    d +\\n'\\u001b[31m'",
    'output  a\\u0007.txt as lines: strings as they are, other values as JSON',
    'run     2 workers, in order',
    'errors  the first one ends the run',
  ])
})

it('has the result of a fold without Maps and Sets', () => {
  const value = { counts: new Map([[2, new Set(['a'])]]), list: [new Set([1n])], at: new Date(0), none: null }
  expect(withEntries(value)).toEqual({ counts: [[2, ['a']]], list: [[1n]], at: new Date(0), none: null })
})
