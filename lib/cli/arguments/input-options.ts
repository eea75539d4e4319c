/** Where items come from, and how they are read. */
import type { InputFormat } from '../plan.js'
import { UsageError } from '../usage-error.js'
import type { Draft, OptionGroup } from './option.js'
import {
  delimiter,
  encoding,
  fixedColumns,
  format as formatNamed,
  integer,
  names,
  path,
  program,
  share,
} from './values.js'

const FORMATS: readonly InputFormat[] = ['lines', 'csv', 'tsv', 'ndjson', 'json', 'fixed', 'parquet']
const TABLES: readonly InputFormat[] = ['csv', 'tsv']
/** Of these, the bytes are text. */
const TEXTS = FORMATS.filter((format) => format !== 'parquet')

/** `json:PATH` has the path to the array, and `fixed:SPEC` the columns, too. */
function from(text: string, as: string): Draft {
  const [, name = '', , inside] = /^([^:]*)(:(.*))?$/s.exec(text) ?? []
  const format = formatNamed(name, as, FORMATS)
  if (format === 'fixed') return { input: { format, fixed: fixedColumns(inside ?? '', as) } }
  if (inside === undefined) return { input: { format } }
  if (format !== 'json')
    throw new UsageError(`${as} ${format} takes no path: only json and fixed take something, as in json:items`)
  if (inside === '') throw new UsageError(`${as} json: needs the path to the array, as in json:items`)
  return { input: { format, path: inside } }
}

export const INPUT: OptionGroup = {
  title: 'Input',
  options: [
    {
      name: 'from',
      short: 'i',
      value: 'FORMAT',
      summary: '`lines`, `csv`, `tsv`, `ndjson`, `json`, `fixed:SPEC`, `parquet`',
      details:
        'The format of the input. `jsonl` is `ndjson`. `json:a.b` reads the elements of the array that is at `a.b`; `json` those of the whole text. `fixed:name=10,age=3` reads lines with columns of these widths, in characters. `fixed:name=0-10,note=20-` says where they begin and end: from 0, the end does not belong to the column, and without one it goes on to the end of the line. Spaces around fields are left out. `parquet` needs the package `hyparquet`, and files: it cannot read the standard input.',
      initial: 'by suffix, or lines',
      choices: FORMATS,
      also: ['input', 'input-format', 'in', 'format'],
      effect: { reads: from },
    },
    {
      name: 'columns',
      value: 'A,B',
      summary: 'the columns to read, or the keys of JSON',
      details: 'The others are not decoded. With `--no-header` these are the names of all columns, in order.',
      initial: 'all',
      formats: [...TABLES, 'ndjson', 'json', 'parquet'],
      also: ['fields', 'cut'],
      effect: { reads: (text, as) => ({ input: { columns: names(text, as) } }) },
    },
    {
      name: 'no-header',
      summary: 'the first record is data',
      details: 'Items are then arrays, or objects by the names of `--columns`.',
      formats: TABLES,
      effect: { sets: { input: { header: false } } },
    },
    {
      name: 'delimiter',
      value: 'CHAR',
      summary: 'what separates fields',
      initial: 'a comma for `csv`, a tab for `tsv`',
      formats: TABLES,
      also: ['separator', 'fs', 'ifs'],
      effect: { reads: (text, as) => ({ input: { delimiter: delimiter(text, as) } }) },
    },
    {
      name: 'encoding',
      value: 'NAME',
      summary: 'the encoding, such as `latin1`',
      isRare: true,
      initial: 'utf8',
      formats: TEXTS,
      effect: { reads: (text, as) => ({ input: { encoding: encoding(text, as) } }) },
    },
    {
      name: 'null',
      short: '0',
      summary: 'lines end with a NUL character, as from find -print0',
      formats: ['lines'],
      also: ['zero', 'null-data', 'print0'],
      effect: { sets: { input: { isNul: true } } },
    },
    {
      name: 'decompress',
      value: 'CMD',
      summary: 'a program that decompresses, such as `"xz -dc"`',
      isRare: true,
      details:
        'It reads the file as its standard input. It gets no shell. Gzip, zstd and brotli do not need it: they are recognised.',
      formats: TEXTS,
      effect: { reads: (text, as) => ({ input: { decompress: program(text, as) } }) },
    },
    {
      name: 'skip',
      value: 'N',
      summary: 'leave out the first N items of the input',
      initial: '0',
      effect: { reads: (text, as) => ({ input: { skip: integer(text, as, 0) } }) },
    },
    {
      name: 'sample',
      value: 'P',
      summary: 'a random sample of the items: `0.01` or `1%`',
      details:
        'Each item is chosen by itself with this probability, and the order stays. The same command chooses the same items again. Items that are not chosen are not decoded.',
      initial: 'all',
      also: ['fraction', 'decimate'],
      effect: { reads: (text, as) => ({ input: { sample: share(text, as) } }) },
    },
    {
      name: 'seed',
      value: 'N',
      isRare: true,
      summary: 'another sample',
      initial: '0',
      needs: ['sample'],
      effect: { reads: (text, as) => ({ input: { seed: integer(text, as, 0) } }) },
    },
    {
      name: 'replay',
      value: 'FILE',
      summary: 'read the items of a file of `--rejects` again',
      details: 'Each is read as its line says, so no option of the format goes with it.',
      completes: 'file',
      excludes: ['from', 'columns', 'no-header', 'delimiter', 'encoding', 'null', 'decompress'],
      effect: { reads: (text, as) => ({ input: { replay: path(text, as) } }) },
    },
  ],
}
