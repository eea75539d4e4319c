/** Where results go. */
import type { OutputFormat } from '../plan.js'
import type { OptionGroup } from './option.js'
import { format, integer, partition, path, size } from './values.js'

const FORMATS: readonly OutputFormat[] = ['text', 'ndjson', 'csv', 'tsv', 'json', 'parquet']

export const OUTPUT: OptionGroup = {
  title: 'Output',
  options: [
    {
      name: 'output',
      short: 'o',
      value: 'FILE',
      summary: 'the file; `{name}`, `{dir}`, `{index}`: one per input',
      details:
        'It appears only when it is complete: a reader sees the old file or the new one. `.gz` and `.zst` are compressed. `{name}` is the name of the input without its suffixes, `{dir}` its folder, `{index}` its number from 0.',
      initial: 'the standard output',
      completes: 'file',
      also: ['out', 'out-file', 'outfile'],
      effect: { reads: (text, as) => (text === '-' ? {} : { output: { target: path(text, as) } }) },
    },
    {
      name: 'to',
      short: 't',
      value: 'FORMAT',
      summary: 'the format: `text`, `ndjson`, `csv`, `tsv`, `json` or `parquet`',
      details:
        'Without it, and without a suffix, strings are printed as they are, and other values as JSON on a line. Parquet needs the package `hyparquet-writer`. Its columns have the types of their first values: `Number(d.n)` for numbers.',
      initial: 'by suffix of -o',
      choices: FORMATS,
      also: ['output-format', 'out-format'],
      effect: { reads: (text, as) => ({ output: { format: format(text, as, FORMATS) } }) },
    },
    {
      name: 'head',
      value: 'N',
      summary: 'end after N results',
      details: 'Nothing is read after that. With `-r`, it is N items that the reduction gets.',
      initial: 'all',
      also: ['limit', 'take', 'first'],
      effect: { reads: (text, as) => ({ input: { head: integer(text, as, 0) } }) },
    },
    {
      name: 'partition',
      value: 'EXPR',
      summary: 'a folder below `-o` per value of a column or EXPR',
      details:
        '`--partition country -o out` writes `out/country=DE/part.csv`. An expression sees `d`, a result, and nothing else. It cannot `await`.',
      needs: ['output'],
      excludes: ['reduce'],
      effect: { reads: (text, as) => ({ output: { partition: partition(text, as) } }) },
    },
    {
      name: 'rotate',
      value: 'SIZE',
      summary: 'a new file after SIZE, as in `-o out-{n}.csv`',
      details:
        'The most bytes of text that a file has, before compression, and of the values in Parquet: `500K`, `64M` or `1G`, of 1,024 each. Records are not cut. `{n}` is the number of the file, from 00000.',
      needs: ['output'],
      excludes: ['reduce', 'partition'],
      also: ['split', 'max-size'],
      effect: { reads: (text, as) => ({ output: { rotate: size(text, as) } }) },
    },
    {
      name: 'gzip',
      summary: 'compress the output with gzip',
      excludes: ['zstd'],
      effect: { sets: { output: { compress: 'gzip' } } },
    },
    {
      name: 'zstd',
      summary: 'compress it with zstd, from Node 22.15 on',
      effect: { sets: { output: { compress: 'zstd' } } },
    },
  ],
}
