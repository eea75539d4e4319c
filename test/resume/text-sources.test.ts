/** What came before a mark, and what comes when it is read again from there, are together the whole. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { lines } from '#dist/io/lines.js'
import { csv } from '#dist/sources/csv.js'
import { files } from '#dist/sources/files.js'
import { json } from '#dist/sources/json.js'
import { ndjson } from '#dist/sources/ndjson.js'
import { readMarked } from '../support/marked.js'
import { times } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-marks-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

type Open = (source: never) => object

interface Form {
  readonly name: string
  readonly open: Open
  /** Makes the text of a file of records made of these words. */
  readonly text: (words: readonly string[]) => string
}

const QUOTED = (word: string): string => `"${word.replaceAll('"', '""')}"`

const FORMS: readonly Form[] = [
  { name: 'lines', open: (source) => lines(source), text: (words) => words.join('\n') },
  {
    name: 'lines that are too long left out',
    open: (source) => lines(source, { maxLength: 12, tooLong: 'skip' }),
    text: (words) => words.join('\r\n'),
  },
  {
    name: 'csv',
    open: (source) => csv(source),
    text: (words) => `sep=;\n"first\ncolumn";b\n${words.map((word, at) => `${at};${QUOTED(word)}\n`).join('')}`,
  },
  {
    name: 'csv without a header',
    open: (source) => csv(source, { header: false, ragged: 'pad', comment: '#' }),
    text: (words) => `# comment\n\n${words.map((word) => `${QUOTED(word)},2\n\n# comment\n`).join('')}`,
  },
  {
    name: 'ndjson',
    open: (source) => ndjson(source),
    text: (words) => words.map((word) => (word === 'bad' ? '{]\n\n' : `${JSON.stringify({ word })}\n`)).join(''),
  },
  { name: 'json', open: (source) => json(source), text: (words) => ` ${JSON.stringify(words, undefined, 1)}\n\n` },
  {
    name: 'json at a path',
    open: (source) => json(source, { path: 'a.rows' }),
    text: (words) =>
      `{"x": [1, "]"], "a": {"rows": ${JSON.stringify(words)}, "y": "}\\"", "z": {"rows": []}}, "w": 1}\n`,
  },
]

const word = fc.oneof(
  fc.constantFrom('', 'a', 'bad', 'ä', 'two\nlines', ',', '"', '\u2028', '€'),
  fc.string({ maxLength: 20, unit: 'grapheme' }),
  fc.string({ minLength: 8, maxLength: 40 }),
)

/** Bytes as a file may have them, and its name behind `.txt`. */
type Storage = (text: Buffer, cuts: readonly number[]) => { readonly bytes: Buffer; readonly suffix: string }

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const bounds = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end))
}

const zstd = (zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer }).zstdCompressSync
const STORAGES: readonly (readonly [name: string, Storage])[] = [
  ['plain', (bytes) => ({ bytes, suffix: '' })],
  ['with a byte order mark', (bytes) => ({ bytes: Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), bytes]), suffix: '' })],
  [
    'in UTF-16',
    (bytes) => ({
      bytes: Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(bytes.toString(), 'utf16le')]),
      suffix: '',
    }),
  ],
  [
    'gzip of many members',
    (bytes, cuts) => ({
      bytes: Buffer.concat(pieces(bytes, cuts).flatMap((piece) => [zlib.gzipSync(piece), Buffer.alloc(3)])),
      suffix: '.gz',
    }),
  ],
  ['brotli', (bytes) => ({ bytes: zlib.brotliCompressSync(bytes), suffix: '.br' })],
  ...(zstd === undefined
    ? []
    : [
        [
          'zstd of many frames',
          ((bytes, cuts) => ({ bytes: Buffer.concat(pieces(bytes, cuts).map(zstd)), suffix: '.zst' })) as Storage,
        ] as const,
      ]),
]

describe.each(FORMS)('$name', ({ open, text }) => {
  it.each(STORAGES)('goes on at any mark: %s', async (_name, store) => {
    const property = fc.asyncProperty(
      fc.array(fc.array(word, { maxLength: 30 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(1_000), { maxLength: 4 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 10 }),
      fc.boolean(),
      async (inputs, cuts, max, every, asList) => {
        const paths = inputs.map((words, at) => {
          const { bytes, suffix } = store(Buffer.from(text(words)), cuts)
          const path = join(folder, `${at}.txt${suffix}`)
          writeFileSync(path, bytes)
          return path
        })
        const source = (): object => open((asList ? files(`${folder}/*`) : paths) as never)
        const whole = await readMarked(source(), { max })
        const marked = await readMarked(source(), { max, asks: (batch) => batch % every === 0 })
        expect({ ...marked, marks: [] }).toEqual(whole)
        expect(marked.marks).not.toEqual([])
        for (const { at, note } of marked.marks) {
          const rest = await readMarked(source(), { max, note, asks: (batch) => batch % every === 0 })
          expect(rest.items).toEqual(whole.items.slice(at))
          expect(rest.error).toEqual(whole.error)
          expect(rest.remarks).toEqual([])
          // A run that goes on may be killed, too, and before it has read anything.
          for (const next of rest.marks.slice(0, 2)) {
            const last = await readMarked(source(), { max, note: next.note })
            expect(last.items).toEqual(whole.items.slice(at + next.at))
          }
        }
        for (const path of paths) rmSync(path)
      },
    )
    await fc.assert(property, { numRuns: times(2, 20) })
  })
})
