/** Mistakes that everybody makes once, from files to files: the error says what to write instead. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { csv, imap, json, lines, ndjson, pipe, progress, write, type CsvOptions } from 'millrace'
import { useFolder } from './sinks/folder.js'

const folder = useFolder()
beforeEach(() => {
  writeFileSync(folder.at('a.csv'), 'id,name\n1,Ann\n')
  writeFileSync(folder.at('semicolons.csv'), 'id;name\n1;Ann, B\n')
  writeFileSync(folder.at('array.json'), '[\n{"a":1}\n]\n')
  mkdirSync(folder.at('folder'))
})

const read = async (source: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of source);
}
const rows = (name: string, options?: object): Promise<void> => read(csv(folder.at(name), options as CsvOptions))

const MISTAKES: readonly [what: string, run: () => unknown, message: RegExp][] = [
  ['a misspelt column', () => rows('a.csv', { columns: ['nmae'] }), /the column 'nmae' .*: received 'id', 'name'$/],
  [
    'an option of a verb',
    () => rows('a.csv', { errors: 'skip' }),
    /no option 'errors': .*an option of a verb, as in imap\(task, \{ errors: 'skip' \}\)/,
  ],
  ['a misspelt option', () => rows('a.csv', { seperator: ';' }), /no option 'seperator': the options are .*delimiter/],
  [
    'semicolons',
    () => rows('semicolons.csv', { columns: ['id'] }),
    /received 'id;name' \(if the fields have ';' between them: delimiter: ';'\)/,
  ],
  [
    'semicolons in records',
    () => rows('semicolons.csv'),
    /received 2 \(if the fields have ';' between them: delimiter: ';'\)/,
  ],
  [
    'a closure as a type',
    () => rows('a.csv', { types: { id: () => 1 } }),
    /task\(import.meta.url, 'name', \(text\) => …\)/,
  ],
  ['a closure as a task', () => imap(((x: unknown) => x) as never, csv(folder.at('a.csv'))), /workers: 0/],
  ['a folder as input', () => rows('folder'), /files\('FOLDER\/\*'\)/],
  ['a glob as a path', () => read(lines('in/*.csv')), /\(for the files that match: files\('in\/\*.csv'\)\)/],
  ['a missing file', () => read(lines('missing.csv')), /'missing.csv' \(in the working directory .*\)/],
  [
    'a path in a pipeline',
    () =>
      pipe(
        'a.csv' as never,
        imap((x) => x, { workers: 0 }),
      ),
    /for a file: lines\(path\), csv\(path\) or ndjson\(path\)/,
  ],
  [
    'an array by ndjson()',
    () => read(ndjson(folder.at('array.json'))),
    /\(for an array over several lines: json\(\)\)/,
  ],
  ['records one behind the other by json()', () => read(json([Buffer.from('{"a":1}\n{"a":2}\n')])), /ndjson\(\)/],
  [
    'a source as the options of write()',
    () => write('x', ['a'] as never),
    /\(a source: write\(target\)\(source\), or pipe/,
  ],
  [
    'a source as the target of write()',
    () => write(csv('a.csv') as never),
    /\(a source: pipe\(source, write\(target\)\)\)/,
  ],
  ['objects as text', () => write(folder.at('a.txt'))([{ a: 1 }]), /choose another format: ndjson, json, csv, tsv/],
  ['text as CSV', () => write(folder.at('b.csv'))(['a']), /for text, the format text/],
  ['a folder as the output', () => write(folder.at('folder'))(['a']), /name a file in it/],
  [
    'a placeholder that there is not',
    () => write('out/{file}.csv'),
    /must be \{name\}, \{dir\} or \{index\}, or \{n\} with 'rotate': received '\{file\}'/,
  ],
  ['progress of write()', () => progress(write(folder.at('c.txt'))([])), /its option progress: true/],
]

it.each(MISTAKES)('%s', async (_, run, message) => {
  await expect((async () => run())()).rejects.toThrow(message)
})

it('a write() that was not awaited, and another one to the same file', async () => {
  const path = folder.at('x.txt')
  let go = (): void => undefined
  const waiting = new Promise<void>((resolve) => (go = resolve))
  const first = write(path)(
    (async function* () {
      yield '1'
      await waiting
    })(),
  )
  // It fails if the first one is just being opened, and replaces that otherwise: both errors say so.
  const both = Promise.allSettled([first, write(path)(['2'])])
  go()
  const outcomes = await both
  const messages = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []))
  expect(messages).toHaveLength(1)
  expect(messages[0]).toMatch(/another write\(\) to it has not ended|another program/)
})

it('a name with braces is taken as it is from a URL', async () => {
  const { files } = await write(pathToFileURL(folder.at('{file}.txt')))(['a'])
  expect(files.map(({ path }) => path)).toEqual([folder.at('{file}.txt')])
})
