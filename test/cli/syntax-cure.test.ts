/** What people write who know jq, awk or statements of JavaScript, and what they are told to write instead. */
import { checkExpression } from '#dist/cli/arguments/check-expression.js'
import { isAssignment } from '#dist/cli/arguments/syntax-cure.js'
import { UsageError } from '#dist/cli/usage-error.js'

function cureOf(text: string): string {
  try {
    checkExpression(text, '-e', [])
  } catch (error) {
    if (error instanceof UsageError)
      return /^-e must be .*?, at (?:line \d+, )?column \d+(?: \((.*)\))?$/m.exec(error.message)?.[1] ?? ''
    throw error
  }
  throw new Error(`It is an expression: ${text}`)
}

const jq = 'this is JavaScript, and not jq: the item is d'
const awk = 'this is JavaScript, and not awk: $1 is d.split(/\\s+/)[0]'
const statements = 'it is one expression: put statements into a function of a module, and give that by -m'

it.each([
  ['.', 'the item is d'],
  ['.id', 'the item is d: d.id'],
  ['.user.name', 'the item is d: d.user.name'],
  ['.[] | .id', 'the item is d: d.id'],
  ['.[0]', jq],
  ['.id | length', jq],
  ['select(.id > 3)', jq],
  ['{print $1}', awk],
  ['print $1, $2', awk],
  ['./clean.js', 'for a module: -m ./clean.js'],
  ['/tmp/clean.mjs#slim', 'for a module: -m /tmp/clean.mjs#slim'],
  ['return d.id', "leave out 'return'"],
  ['const x = d.id; x', statements],
  ['if (d.id) d.id', statements],
  ['d.x++; d', statements],
  ['d.id;', "leave out the ';'"],
  ['{ d.id }', 'an object is { id: d.id }'],
  ['d.Order Total', 'for a name with a space: d["Order Total"]'],
  ['d.length +', ''],
  ['d.a d.b c', ''],
  ['f(d', ''],
])('%s: %s', (text, cure) => {
  expect(cureOf(text)).toBe(cure)
})

it('an assignment in place of a comparison is told from what only looks like one', () => {
  for (const text of ['d.x = 1', ' d.status=500', 'd?.a.b = "x"', 'd["a"][0] = 1', 'x = d']) {
    expect([text, isAssignment(text)]).toEqual([text, true])
  }
  for (const text of ['d.x == 1', 'd.x === 1', 'd => d.x', '(d.x = 1)', 'd.x <= 1', 'd.x !== 1', 'f(d.x = 1)']) {
    expect([text, isAssignment(text)]).toEqual([text, false])
  }
})
