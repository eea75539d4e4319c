/** Errors of the library on the command line: they name its options, and none that it does not have. */
import { csv, fixed, json, lines, ndjson, pipe, write } from 'millrace'
import { faultText } from '#dist/cli/run/faults.js'
import { useFolder } from '../sinks/folder.js'

const folder = useFolder()
/** What only programs can write. */
const FOREIGN = /(?<!-)\b(?:path|delimiter|decompress|detect|quotes|ragged|header|columns|encoding|types): |\w\(\)/

async function textOf(source: AsyncIterable<unknown>, target?: string): Promise<string> {
  try {
    if (target === undefined) for await (const _ of source) continue
    else await pipe(source, write(folder.at(target)))
  } catch (error) {
    return faultText(error, undefined, false)
  }
  throw new Error('It has no fault')
}

const bytes = (text: string | Uint8Array): Uint8Array[] => [Buffer.from(text)]

it.each<readonly [what: string, text: () => Promise<string>, cure: string]>([
  ['an object as JSON', () => textOf(json(bytes('{}'))), '-i json:KEY; for objects one behind the other: -i ndjson'],
  ['an array over lines as NDJSON', () => textOf(ndjson(bytes('[\n1]'))), 'for an array over several lines: -i json'],
  ['a header with semicolons', () => textOf(csv(bytes('a;b\n1;"2"\n'))), "between them: --delimiter ';')"],
  ['a column that is not there', () => textOf(csv(bytes('a;b\n1;2\n'), { columns: ['a'] })), "--delimiter ';'"],
  ['a quote in a field', () => textOf(csv(bytes('a,b\n1,x"\n'))), '(a quote in a field is written as two, in quotes)'],
  ['a short record', () => textOf(csv(bytes('a,b\n1\n'))), 'received 1'],
  ['a short line', () => textOf(fixed(bytes('abc\na\n'), { columns: { a: 3 } })), 'received 1'],
  ['a name twice', () => textOf(csv(bytes('a,a\n1,2\n'))), '(give the names: --no-header --columns A,B)'],
  [
    'xz',
    () => textOf(lines(bytes('\u00fd7zXZ\0'.split('').map((c) => c.charCodeAt(0)) as never))),
    "--decompress 'xz -dc'",
  ],
  ['UTF-16', () => textOf(lines(bytes(Buffer.from('some text\n'.repeat(9), 'utf16le')))), "(--encoding 'utf-16le')"],
  ['other keys', () => textOf(ndjson(bytes('{"a":1}\n{"b":2}')), 'a.csv'), "as in -e '{ a: d.a, b: d.b }'"],
  ['another type', () => textOf(json(bytes('[{"a":1},{"a":"x"}]')), 'a.parquet'), '(convert it in the task)'],
  ['a text as CSV', () => textOf(lines(bytes('a\n')), 'b.csv'), 'for text: -t text'],
])('%s', async (_, text, cure) => {
  const shown = await text()
  expect(shown).toContain(cure)
  expect(shown).not.toMatch(FOREIGN)
})

it('leaves the text of other errors as it is', () => {
  expect(faultText(new Error("delimiter: ';'"), undefined, false)).toBe("Error: delimiter: ';'")
})
