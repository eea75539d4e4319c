/** Errors of the library name its options. On the command line, these have other names, or there are none. */

/** A string as errors show it. */
const STRING = String.raw`'(?:[^'\\]|\\.)*'`

const WORDS: readonly (readonly [RegExp, string | ((whole: string, part: string) => string)])[] = [
  [/\bpath: 'KEY'/g, '-i json:KEY'],
  [/\bparquet\(\)/g, '-i parquet'],
  [/\bleave it out by columns\b/g, 'leave it out by --columns'],
  [/\bndjson\(\)/g, '-i ndjson'],
  [/\bjson\(\)/g, '-i json'],
  [new RegExp(String.raw`, or pass types: \{ ${STRING}: 'json' \}`, 'g'), ''],
  [/\bset delimiter: '\\r'/g, String.raw`pipe it through tr '\r' '\n'`],
  [new RegExp(String.raw`\bdelimiter: (${STRING})`, 'g'), '--delimiter $1'],
  [new RegExp(String.raw`\bencoding: (${STRING})`, 'g'), '--encoding $1'],
  [/\bheader: \[\.\.\.\], which takes this line as data; for arrays: header: false/g, '--no-header --columns A,B'],
  [new RegExp(String.raw`\bcolumn (${STRING}) of 'columns'`, 'g'), 'column $1 of --columns'],
  [/\bfor text, the format text\b/g, 'for text: -t text'],
  [new RegExp(String.raw`\bpass all columns, as in columns: \[(${STRING}(?:, (?:${STRING}|…))*)\]`, 'g'), allKeys],
  [new RegExp(String.raw`\bdecompress: \[(${STRING}(?:, ${STRING})*)\]`, 'g'), program],
  [/ \(with ragged: 'pad' missing fields are empty\)/g, ''],
  [/; with quotes: 'relaxed' it is text/g, ''],
  [/; to read its bytes as they are: detect: false/g, ''],
]

/** @param text Of an error of the library. */
export function inOwnWords(text: string): string {
  return WORDS.reduce(
    (changed, [pattern, words]) =>
      typeof words === 'string' ? changed.replace(pattern, words) : changed.replace(pattern, words),
    text,
  )
}

function allKeys(_: string, keys: string): string {
  const entries = keys.split(', ').map((key) => {
    const name = key.slice(1, -1)
    return key === '…' ? key : /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `${name}: d.${name}` : undefined
  })
  const shown = entries.includes(undefined) ? 'a: d.a, b: d.b' : entries.join(', ')
  return `give each result all keys, as in -e '{ ${shown} }'`
}

function program(_: string, words: string): string {
  return `--decompress '${words.replaceAll("'", '').replaceAll(', ', ' ')}'`
}
