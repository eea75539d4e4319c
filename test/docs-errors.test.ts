/** The table of docs/errors.md: it has a row for each code of `ErrorCode`, and for each class of error. */
import { readFileSync } from 'node:fs'
import * as core from 'millrace'
import * as multiprocessing from 'millrace/multiprocessing'
import * as nats from 'millrace/nats'
import ts from 'typescript'

const page = read('docs/errors.md')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `ERR_'))
  .map((line) => {
    const [codes = '', classes = ''] = line.slice(2, -2).split(' | ')
    return { codes: namesIn(codes), classes: namesIn(classes) }
  })

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

function namesIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`(\w+)`/g), ([, name]) => name ?? '')
}

/** The members of the union `ErrorCode`. */
function declaredCodes(): string[] {
  const file = ts.createSourceFile('errors.ts', read('lib/errors.ts'), ts.ScriptTarget.Latest, true)
  const union = file.statements.filter(ts.isTypeAliasDeclaration).find(({ name }) => name.text === 'ErrorCode')?.type
  if (union === undefined || !ts.isUnionTypeNode(union)) throw new Error('Cannot find the union ErrorCode')
  return union.types.map((type) => {
    if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return type.literal.text
    throw new Error(`Cannot read ${type.getText()} as a code`)
  })
}

it('has each code of ErrorCode once, and no other', () => {
  expect(rows.flatMap(({ codes }) => codes).sort()).toEqual(declaredCodes().sort())
})

it('names each class of error that is exported, and built-in ones', () => {
  const exported = [core, multiprocessing, nats].flatMap(Object.keys).filter((name) => name.endsWith('Error'))
  const named = new Set(rows.flatMap(({ classes }) => classes))
  expect([...named].sort()).toEqual([...exported, 'Error', 'RangeError', 'TypeError'].sort())
})
