/** What the suffixes of names say, the same for inputs and outputs, and for the library and the command line. */
import {
  formatOfName,
  hasCompressedName,
  isBrotliName,
  isReadableCompressed,
  suffixOf,
  unwrittenSuffixOf,
  withoutCompression,
  writtenCompressionOf,
} from '#dist/io/suffixes.js'

it.each([
  ['a.csv', 'csv'],
  ['A.CSV', 'csv'],
  ['in.d/a.tsv.gz', 'tsv'],
  ['a.jsonl.zst', 'ndjson'],
  ['a.ndjson.br', 'ndjson'],
  ['a.json.xz', 'json'],
  ['in/*.csv', 'csv'],
  ['a.csv.gz.gz', undefined],
  ['a.gz', undefined],
  ['a.log', undefined],
  ['csv', undefined],
  ['.csv', undefined],
  ['in.csv/a', undefined],
])('the format of %s is %s', (name, format) => {
  expect(formatOfName(name)).toBe(format)
})

it.each([
  { name: 'a.csv.gz', written: 'gzip', unwritten: undefined, isReadable: true, isBrotli: false },
  { name: 'a.ZST', written: 'zstd', unwritten: undefined, isReadable: true, isBrotli: false },
  { name: 'a.csv.BR', written: undefined, unwritten: '.br', isReadable: true, isBrotli: true },
  { name: 'a.csv.xz', written: undefined, unwritten: '.xz', isReadable: false, isBrotli: false },
  { name: 'a.7z', written: undefined, unwritten: '.7z', isReadable: false, isBrotli: false },
  { name: 'a.csv', written: undefined, unwritten: undefined, isReadable: false, isBrotli: false },
  { name: '.gz', written: undefined, unwritten: undefined, isReadable: false, isBrotli: false },
])('the compression by the name $name', ({ name, written, unwritten, isReadable, isBrotli }) => {
  expect(writtenCompressionOf(name)).toBe(written)
  expect(unwrittenSuffixOf(name)).toBe(unwritten)
  expect(hasCompressedName(name)).toBe((written ?? unwritten) !== undefined)
  expect(isReadableCompressed(name)).toBe(isReadable)
  expect(isBrotliName(name)).toBe(isBrotli)
  expect(withoutCompression(name)).toBe(
    name.slice(0, name.length - ((written ?? unwritten) ? suffixOf(name).length : 0)),
  )
})
