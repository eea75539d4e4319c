/** Each wrong call has one error, which says what is wrong and what to do. */
import { readArguments } from '#dist/cli/arguments/parse.js'
import { UsageError } from '#dist/cli/usage-error.js'

function errorOf(args: readonly string[]): string {
  try {
    readArguments(args)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error(`It takes ${args.join(' ')}`)
}

const calls: readonly (readonly [args: readonly string[], message: string])[] = [
  [[], 'nothing to do: give a stage or a file. See millrace -h'],
  // Options
  [['--tiemout', '5'], "there is no option '--tiemout': did you mean --timeout?"],
  [['--reject', 'x'], "there is no option '--reject': did you mean --rejects?"],
  [['--part', 'x'], "there is no option '--part': did you mean --partition?"],
  [['--jobs=3'], "there is no option '--jobs': did you mean --workers?"],
  [['--limit=3'], "there is no option '--limit': did you mean --head?"],
  [['--xyzzy'], "there is no option '--xyzzy': see millrace -h"],
  [['--toString'], "there is no option '--toString': see millrace -h"],
  [['--continue'], "there is no option '--continue': did you mean --resume?"],
  [['-U'], "there is no option '-U': did you mean -u?"],
  [['-uk'], "there is no option '-k': see millrace -h"],
  [['-m'], '-m needs a value: -m TASK'],
  [['--max-errors'], '--max-errors needs a value: --max-errors N|P%'],
  [['-o', '-q'], "-o needs a value: received the option '-q'"],
  [['-e', '--where', 'd'], "-e needs a value: received the option '--where'"],
  [['--unordered=yes'], "--unordered takes no value: received 'yes'"],
  [['--completion', 'tcsh'], "--completion must be one of bash, zsh, fish: received 'tcsh'"],
  // Resume
  [
    ['--resume', '-e', 'd', 'a'],
    '--resume needs a file, as nothing can be taken back from the standard output: add -o FILE',
  ],
  [
    ['--resume', '-e', 'd', 'a', '-o', '-', '--checkpoint', 'c'],
    '--resume needs a file, as nothing can be taken back from the standard output: add -o FILE',
  ],
  [
    ['--resume', '-r', './a.js', 'a'],
    '--resume needs a file, as nothing can be taken back from the standard output: add -o FILE, or --checkpoint FILE',
  ],
  [
    ['--resume', '-e', 'd', '-o', 'b'],
    '--resume needs files, as the standard input can be read once: write it to a file first',
  ],
  [
    ['--resume', '-e', 'd', '-o', 'b', 'a', '-'],
    '--resume needs files, as the standard input can be read once: write it to a file first',
  ],
  [
    ['--resume', '-e', 'd', '-o', 'b', 'https://example.org/a'],
    "--resume needs files, and 'https://example.org/a' is not one: download it first",
  ],
  [['--checkpoint', 'c', '-e', 'd', '-o', 'b', 'a'], '--checkpoint needs --resume: add it'],
  [['--allow-changed-code', '-e', 'd', '-o', 'b', 'a'], '--allow-changed-code needs --resume: add it'],
  [
    ['--resume', '--checkpoint', 'b', '-e', 'd', '-o', 'b', 'a'],
    '--checkpoint and -o name the same file: choose another name',
  ],
  [
    ['--resume', '--rejects', 'b.checkpoint', '-e', 'd', '-o', 'b', 'a'],
    '--checkpoint and --rejects name the same file: choose another name',
  ],
  // Values
  [['-m', ''], "-m must be MODULE or MODULE#EXPORT, such as ./clean.js#slim: received ''"],
  [['-f', './a.js#'], "-f must be MODULE or MODULE#EXPORT, such as ./clean.js#slim: received './a.js#'"],
  [['-r', '#sum'], "-r must be MODULE or MODULE#EXPORT, such as ./clean.js#slim: received '#sum'"],
  [['-M', 'path'], "-M must be NAME=MODULE, such as path=node:path: received 'path'"],
  [['-M', '1=x'], "-M must be NAME=MODULE, such as path=node:path: received '1=x'"],
  [['-i', 'CSV'], "-i must be one of lines, csv, tsv, ndjson, json, fixed, parquet: received 'CSV'. Did you mean csv?"],
  [['a.csv', 'b.XLSX'], "'b.XLSX' is a spreadsheet, and not text: save it as CSV"],
  [['a', '-o', 'a.orc'], '-o cannot be .orc: name it .csv, .tsv, .ndjson, .json or .parquet, or say what it is by -t'],
  [['a', '-o', 'a.parquet.gz'], 'Parquet is compressed inside the file: name it .parquet'],
  [['a', '-o', 'a.parquet', '--gzip'], 'Parquet is compressed inside the file: leave out --gzip'],
  [['a', '-t', 'parquet', '--zstd'], 'Parquet is compressed inside the file: leave out --zstd'],
  [
    ['a', '-o', 'a.parquet', '--resume'],
    '--resume cannot go on in a Parquet file, which is only whole with its end: write .ndjson, or leave it out',
  ],
  [['-w', 'd.a = 1'], "-w compares nothing, as '=' assigns: write '===', or put the assignment in brackets"],
  [['-i', 'xml'], "-i must be one of lines, csv, tsv, ndjson, json, fixed, parquet: received 'xml'"],
  [['-i', 'csv:a'], '-i csv takes no path: only json and fixed take something, as in json:items'],
  [
    ['-i', 'fixed'],
    "-i must be fixed: and columns, such as fixed:name=10,age=3 or fixed:name=0-10,note=20-: received ''",
  ],
  [
    ['-i', 'fixed:name'],
    "-i must be fixed: and columns, such as fixed:name=10,age=3 or fixed:name=0-10,note=20-: received 'name'",
  ],
  [
    ['-i', 'fixed:a=0'],
    "-i must be fixed: and columns, such as fixed:name=10,age=3 or fixed:name=0-10,note=20-: received 'a=0'",
  ],
  [
    ['-i', 'fixed:a=5-5'],
    "-i must be fixed: and columns, such as fixed:name=10,age=3 or fixed:name=0-10,note=20-: received 'a=5-5'",
  ],
  [
    ['-i', 'fixed:a=0-,b=3'],
    "-i must be fixed: and columns, such as fixed:name=10,age=3 or fixed:name=0-10,note=20-: received 'a=0-,b=3'",
  ],
  [
    ['-i', 'fixed:=3'],
    "-i must be fixed: and columns, such as fixed:name=10,age=3 or fixed:name=0-10,note=20-: received '=3'",
  ],
  [['-i', 'fixed:a=1,a=2'], "-i has 'a' twice: name each column once"],
  [['-i', 'json:'], '-i json: needs the path to the array, as in json:items'],
  [['--columns', 'a,,b'], "--columns must be names separated by commas, such as id,amount: received 'a,,b'"],
  [['--columns', 'a,a'], "--columns has 'a' twice: name each column once"],
  [
    ['--delimiter', '::'],
    "--delimiter must be one character of ASCII, such as ';' or '\\t', but not '\"': received '::'",
  ],
  [['--encoding', 'x'], "--encoding must be an encoding such as utf8, latin1, windows-1252 or utf-16le: received 'x'"],
  [['--decompress', ' '], `--decompress must be a program and its arguments, such as "xz -dc": received ' '`],
  [['--decompress', 'a | b'], "--decompress runs a program without a shell, so it cannot have |: received 'a | b'"],
  [['--skip', '-1'], "--skip must be an integer of at least 0: received '-1'"],
  [['--sample', '5'], "--sample must be a share such as 0.01 or 1%: received '5'"],
  [['--sample', '101%'], "--sample must be a share such as 0.01 or 1%: received '101%'"],
  [['--sample', '-1%'], "--sample must be a share such as 0.01 or 1%: received '-1%'"],
  [['--seed', '1'], '--seed needs --sample P: add it'],
  [['--head', '1e3'], "--head must be an integer of at least 0: received '1e3'"],
  [['-o', ''], "-o must be the path of a file: received ''"],
  [['-o', 'a', '--rotate', '1X'], "--rotate must be a size such as 500K, 64M or 1G: received '1X'"],
  [['-o', 'a', '--rotate', '0'], "--rotate must be a size such as 500K, 64M or 1G: received '0'"],
  [['--rotate', '1G'], '--rotate needs -o FILE: add it'],
  [['-o', '-', '--rotate', '1G'], '--rotate needs files, not stdout: -o out-{n}.csv'],
  [['-o', 'a.csv', '--rotate', '1G'], '--rotate needs {n} in the name of the file: -o out-{n}.csv'],
  [['-o', 'a-{n}.csv'], '-o has {n}, which is for --rotate SIZE: add it'],
  [
    ['a', '-o', '{name}-{n}.csv', '--rotate', '1G'],
    '-o with {name} is a file per input, which excludes --rotate: leave one out',
  ],
  [['-t', 'xml'], "-t must be one of text, ndjson, csv, tsv, json, parquet: received 'xml'"],
  [['--partition', ' '], "--partition must be a column such as country, or an expression over d: received ' '"],
  [['-j', '0'], "-j must be an integer from 1 to 1024: received '0'"],
  [['--workers', 'all'], "--workers must be an integer from 1 to 1024: received 'all'"],
  [['--window', '0'], "--window must be an integer of at least 1: received '0'"],
  [
    ['--timeout', '5d'],
    "--timeout must be a time such as 500 (milliseconds), 5s or 2m, at most 24 days: received '5d'",
  ],
  [['--timeout', '0'], "--timeout must be a time such as 500 (milliseconds), 5s or 2m, at most 24 days: received '0'"],
  [['--retries', 'x'], "--retries must be an integer of at least 0: received 'x'"],
  [['--rejects', ''], "--rejects must be the path of a file: received ''"],
  [
    ['--max-errors', '101%'],
    "--max-errors must be a number of items such as 100, or a share such as 5%: received '101%'",
  ],
  [['--progress', 'yes'], "--progress must be one of auto, always, never, plain, json: received 'yes'"],
  [['--color', 'no'], "--color must be one of auto, always, never: received 'no'"],
  [['--report', 'x.pdf'], "--report must be a path that ends with .html, .svg or .json: received 'x.pdf'"],
  // Files
  [
    ['s3://a.b/c.csv'],
    "'s3://a.b/c.csv' is no path and no http: or https: URL: pipe it in, as in curl -s URL | millrace -i csv",
  ],
  [['https://a b/c.csv'], "'https://a b/c.csv' is not a URL that can be read: check how it is written"],
  [['a', ''], 'the name of a file is empty: check the variable that gives it'],
  [['-', 'a', '-'], "'-' is given twice: stdin can be read once"],
  [['--replay', 'a', 'b'], "--replay and 'b' are two inputs: give one of them"],
  // What does not go together
  [['-q', '-v'], '-q and -v exclude each other: leave one out'],
  [['-q', '--progress=plain'], '-q and --progress exclude each other: leave one out'],
  [['--gzip', '--zstd'], '--gzip and --zstd exclude each other: leave one out'],
  [['-e', 'd', '--rejects=a', '--skip-errors'], '--rejects and --skip-errors exclude each other: leave one out'],
  [['--replay', 'a', '-i', 'csv'], '--replay and -i exclude each other: leave one out'],
  [['-e', 'd', '--max-errors=5'], '--max-errors needs --rejects FILE or --skip-errors: add one of them'],
  [['--partition', 'a'], '--partition needs -o FILE: add it'],
  [['--partition', 'a', '-o', '-'], '--partition needs a folder, not stdout: -o FOLDER'],
  [['--partition', 'a', '-o', 'b', '-r', 'c'], '--partition and -r exclude each other: leave one out'],
  [['a.txt', '--columns', 'a'], '--columns is for csv, tsv, ndjson, json and parquet, not for lines: add -i csv'],
  [['a.json.gz', '--no-header'], '--no-header is for csv and tsv, not for json: add -i csv'],
  [['-0', 'a.csv'], '-0 is for lines, not for csv: add -i lines'],
  [['-e', 'd', '-o', 'a', '--rejects', 'a'], '-o and --rejects name the same file: choose another name'],
  [['-o', 'a.json', '--report', 'a.json'], '-o and --report name the same file: choose another name'],
  [['-o', 'a.csv.gz', '--zstd'], '-o a.csv.gz is compressed with gzip: leave out --zstd'],
  [['-o', 'a.csv.xz'], '-o cannot be compressed as .xz: name it .gz or .zst'],
  [['a', '-o', '{base}.csv'], '-o has {base}: the placeholders are {name}, {dir} and {index}'],
  [['a', '-o', '{name}', '-r', 'b'], '-o with {name} is a file per input, which excludes -r: leave one out'],
  [['-e', 'd', '-o', '{name}'], '-o with {name} needs files: the standard input has no name'],
  [['a', '--rejects', 'b'], '--rejects has nothing to reject: add a stage, such as -e EXPR, or -i FORMAT'],
  [['a', '--skip-errors'], '--skip-errors has nothing to reject: add a stage, such as -e EXPR, or -i FORMAT'],
  [['a', '--retries', '1'], '--retries needs a stage: add one, such as -e EXPR'],
  [['-r', 'a', '-e', 'd'], '-e stands after -r: a reduction is the last stage'],
  [['-r', 'a', '--reduce', 'b'], '--reduce stands after -r: a reduction is the last stage'],
  [['-m', 'a', '-M', 'b=c'], '-M is for expressions: add one, such as -e EXPR'],
  [
    ['-e', 'd', '-M', 'i=x'],
    "-M cannot name a module 'i': expressions have d, i, file, record already. Choose another name",
  ],
  [['-e', 'd', '-M', 'if=x'], "-M cannot name a module 'if', a word of JavaScript: choose another name"],
  [['-e', 'd', '-M', 'await=x'], "-M cannot name a module 'await', a word of JavaScript: choose another name"],
  [['-e', 'd', '-M', 'a=x', '-M', 'a=y'], "-M names two modules 'a': choose another name"],
]

it.each(calls)('%j', (args, message) => {
  expect(errorOf(args)).toBe(message)
})

it('has one line for each of them', () => {
  expect(calls.filter(([args]) => errorOf(args).includes('\n'))).toEqual([])
})

/** By expression, what is shown. The mark stands below the place. */
const expressions: readonly (readonly [text: string, shown: string])[] = [
  ['', "-e needs an expression of JavaScript, such as d.length: received ''"],
  ['d.a +', '-e must be an expression of JavaScript: Unexpected end, at column 6\n  d.a +\n       ^'],
  ['d.a )', "-e must be an expression of JavaScript: Unexpected token ')', at column 5\n  d.a )\n      ^"],
  [
    'd.a; d.b',
    "-e must be an expression of JavaScript: Unexpected token ';', at column 4 (it is one expression: put statements into a function of a module, and give that by -m)\n  d.a; d.b\n     ^",
  ],
  ['1) + (2', "-e must be an expression of JavaScript: Unexpected token ')', at column 2\n  1) + (2\n   ^"],
  [
    'return d',
    "-e must be an expression of JavaScript: Unexpected token 'return', at column 1 (leave out 'return')\n  return d\n  ^",
  ],
  ['d\n+ * 2', "-e must be an expression of JavaScript: Unexpected token '*', at line 2, column 3\n  + * 2\n    ^"],
  ['/* d', '-e must be an expression of JavaScript: Invalid or unexpected token, at column 5\n  /* d\n      ^'],
  ['"ä€😀" !', '-e must be an expression of JavaScript: Unexpected token \'!\', at column 8\n  "ä€😀" !\n        ^'],
  [
    `${'d + '.repeat(30)}* 1`,
    `-e must be an expression of JavaScript: Unexpected token '*', at column 121\n  …${'d + '.repeat(12)}* 1\n   ${' '.repeat(48)}^`,
  ],
]

it.each(expressions)('shows the place in %j', (text, shown) => {
  expect(errorOf(['-e', text])).toBe(shown)
})

it.each([
  ['d => d.ok', "-e takes the body of a function alone, in which d is the item: write 'd.ok'"],
  ['async (d) => await d.ok', "-e takes the body of a function alone, in which d is the item: write 'await d.ok'"],
  [
    '({ ok }) => ok',
    "-e takes the body of a function alone, in which d is the item: such as 'd.length'. Received '({ ok }) => ok'",
  ],
  [
    'd => { return d.ok }',
    "-e takes the body of a function alone, in which d is the item: such as 'd.length'. Received 'd => { return d.ok }'",
  ],
])('refuses the function %s', (text, message) => {
  expect(errorOf(['-e', text])).toBe(message)
})

it.each(['d.map((v) => v)', '(d => d)(1)', '(async () => await d)()', 'async(d)', '{ f: d => d }'])(
  'takes functions inside of an expression: %s',
  (text) => {
    expect(readArguments(['-e', text])).toHaveProperty('plan')
  },
)

it('names the option of the expression', () => {
  expect(errorOf(['--where', 'd.'])).toMatch(
    /^--where must be an expression of JavaScript: Unexpected end, at column 3\n/,
  )
  expect(errorOf(['--partition', 'd.', '-o', 'x'])).toMatch(/^--partition must be an expression/)
})

it('takes an expression as it would be run: in strict mode', () => {
  expect(errorOf(['-e', '010 + d'])).toContain('Octal literals are not allowed in strict mode')
})
