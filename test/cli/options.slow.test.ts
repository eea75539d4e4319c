/** Each option as a whole run: what it prints, what it says, and its exit code. */
import { readdirSync } from 'node:fs'
import * as zlib from 'node:zlib'
import { CommandFolder } from '../support/command-line.js'

const folder = new CommandFolder()
const describeOnLinux = process.platform === 'linux' ? describe : describe.skip
const FIVE = '1\n2\n3\n4\n5\n'

beforeAll(() => {
  folder.write('five.txt', FIVE)
  folder.write('five.bin', zlib.gzipSync(FIVE))
  folder.write('people.csv', 'id,name\n1,Ann\n2,"B, C"\n')
  folder.write('semicolons.csv', 'id;name\n1;Ann\n')
  folder.write('bare.csv', '1,Ann\n2,Ben\n')
  folder.write('latin.txt', Buffer.from('caf\xe9\n', 'latin1'))
  folder.write('nul.txt', 'a\0b c\0')
  folder.write('ragged.csv', 'a,b\n1,2\n3\n5,6\n')
  folder.write('many.txt', Array.from({ length: 100_000 }, (_, n) => `${n}\n`).join(''))
  folder.write(
    'tasks.js',
    `import { existsSync, writeFileSync } from 'node:fs'
    export const same = (d) => d
    export const hangs = (d) => (d === '3' ? new Promise(() => {}) : d)
    export const fails = (d) => { if (d > 2) throw new RangeError('more than 2: ' + d); return d }
    export const flaky = (d) => {
      if (d !== '3' || existsSync('tried')) return d
      writeFileSync('tried', '')
      throw new Error('once')
    }`,
  )
})

interface Expected {
  readonly code?: number
  readonly stdout?: string
  readonly stderr?: string | RegExp
}

/** A line of a shell, and how it ends. Default: with 0, and nothing said. */
type Case = readonly [line: string, expected: Expected]

const CASES: readonly Case[] = [
  // Run
  ['millrace -m ./tasks.js#same -u five.txt | sort', { stdout: FIVE }],
  ['millrace -m ./tasks.js#same --window 1 five.txt', { stdout: FIVE }],
  ['millrace -m ./tasks.js#flaky --retries 1 five.txt', { stdout: FIVE }],
  [
    'millrace -m ./tasks.js#hangs --timeout 200 five.txt',
    {
      code: 1,
      stdout: '1\n2\n',
      stderr: /^millrace: five\.txt:3: TaskTimeoutError: Task 'hangs' did not end within 200 ms on item 2 .*\n$/,
    },
  ],
  ['millrace -m ./tasks.js#hangs --timeout 0.2s --skip-errors five.txt', { code: 3, stdout: '1\n2\n4\n5\n' }],
  // Output
  ['millrace -e \'{ n: d, m: "a\\tb" }\' -t tsv five.txt --head 1', { stdout: 'n\tm\n1\t"a\tb"\n' }],
  ['millrace -t json people.csv', { stdout: '[\n{"id":"1","name":"Ann"},\n{"id":"2","name":"B, C"}\n]\n' }],
  ['millrace -t json -w false people.csv', { stdout: '[]\n' }],
  ['millrace -t text -e d.name people.csv', { stdout: 'Ann\nB, C\n' }],
  [
    'millrace -t text people.csv',
    {
      code: 1,
      stderr: /^millrace: people\.csv:[12]: OutputError: Cannot write item 0 as text as it must be a string: .*\n$/,
    },
  ],
  ['millrace -t ndjson -e d five.txt --head 2', { stdout: '"1"\n"2"\n' }],
  ['millrace --gzip five.txt | gunzip -c', { stdout: FIVE }],
  ['millrace --gzip five.txt -o packed && gunzip -c < packed', { stdout: FIVE }],
  ['millrace five.txt -o packed.gz && gunzip -c packed.gz', { stdout: FIVE }],
  // Input
  ['millrace --encoding latin1 latin.txt', { stdout: 'café\n' }],
  ['millrace latin.txt', { stdout: 'caf\ufffd\n' }],
  ["millrace --delimiter ';' semicolons.csv", { stdout: '{"id":"1","name":"Ann"}\n' }],
  ['millrace --no-header bare.csv', { stdout: '["1","Ann"]\n["2","Ben"]\n' }],
  ['millrace --no-header --columns id,name bare.csv', { stdout: '{"id":"1","name":"Ann"}\n{"id":"2","name":"Ben"}\n' }],
  ["millrace --decompress 'gzip -dc' five.bin", { stdout: FIVE }],
  [
    'millrace --decompress absent-program five.txt',
    { code: 1, stderr: /^millrace: Cannot decompress the input as the program 'absent-program' must start: .*\n$/ },
  ],
  ["millrace -0 -e 'd.length' nul.txt", { stdout: '1\n3\n' }],
  // Items that fail
  [
    'millrace -m ./tasks.js#fails --skip-errors --max-errors 50% five.txt',
    {
      code: 4,
      stdout: '1\n2\n',
      stderr: /^millrace: .* received 3 failed items of 5\. .*: RangeError: more than 2: 5 \(in task fails\)\n$/,
    },
  ],
  ['millrace -m ./tasks.js#fails --skip-errors --max-errors 60% five.txt', { code: 3, stdout: '1\n2\n' }],
  ['millrace -t ndjson --skip-errors ragged.csv', { code: 3, stdout: '{"a":"1","b":"2"}\n{"a":"5","b":"6"}\n' }],
]

it.each(CASES)('%s', async (line, { code = 0, stdout = '', stderr = '' }) => {
  const run = await folder.shell(line)
  expect({ code: run.code, signal: run.signal, stdout: run.stdout }).toEqual({ code, signal: null, stdout })
  if (typeof stderr === 'string') expect(run.stderr).toBe(stderr)
  else expect(run.stderr).toMatch(stderr)
})

it('--zstd compresses where Node can, or says which Node can', async () => {
  const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: (data: Buffer) => Buffer }
  const run = await folder.shell('millrace --zstd five.txt | base64 -w0')
  if (zstdDecompressSync === undefined) {
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(/^millrace: .*zstd needs Node 22\.15.*\n$/)
    expect(await folder.run(['--zstd', 'five.txt'])).toMatchObject({ code: 2 })
  } else expect(zstdDecompressSync(Buffer.from(run.stdout, 'base64')).toString()).toBe(FIVE)
})

it('a module in TypeScript is loaded where Node strips types, or the error says so', async () => {
  folder.write('sum.ts', 'export const twice = (d: string): number => 2 * Number(d)\n')
  const run = await folder.run(['-m', './sum.ts#twice', 'five.txt', '--head', '2'])
  if (Boolean((process.features as { typescript?: unknown }).typescript)) {
    expect(run).toMatchObject({ code: 0, stdout: '2\n4\n' })
  } else {
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toMatch(/^millrace: .*sum\.ts/)
  }
})

describeOnLinux('a full disk', () => {
  const names = (): string[] => readdirSync(folder.path).filter((name) => name.startsWith('full'))

  it.each([
    ['of the output', 'ulimit -f 8; millrace -e d many.txt -o full.txt'],
    ['of failed items', "ulimit -f 8; millrace -e 'd.a.b' many.txt --rejects full.bad"],
    ['of one of several outputs', "ulimit -f 8; millrace -e '({ n: d, k: d % 2 })' many.txt -o full --partition k"],
  ])('%s fails the run, and nothing is left', async (_, line) => {
    const { code, stdout, stderr } = await folder.shell(line)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^millrace: EFBIG: .*full.*\n$/)
    expect(names().filter((name) => name !== 'full')).toEqual([])
  })

  it('of the standard output fails the run', async () => {
    const run = await folder.shell('millrace five.txt > /dev/full')
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toMatch(/^millrace: ENOSPC: .*\n$/)
  })
})

describe('the standard streams', () => {
  const CLOSED: readonly Case[] = [
    ['millrace -i csv -t json - <&-', { stdout: '[]\n' }],
    ['millrace five.txt >&-', {}],
    ['millrace -e d.a.b five.txt 2>&-', { code: 1 }],
    ['yes | millrace -m ./tasks.js#same --head 2', { stdout: 'y\ny\n' }],
    ['cat /dev/zero | millrace -0 -e "d.length" --head 2', { stdout: '0\n0\n' }],
    ['exec 3>&1; yes | { millrace -m ./tasks.js#same; echo "code $?" >&3; } | true', { stdout: 'code 0\n' }],
    ['exec 3>&1; yes | { millrace --gzip; echo "code $?" >&3; } | true', { stdout: 'code 0\n' }],
    ["millrace 'absent*.txt'", { code: 2, stderr: "millrace: no file matches 'absent*.txt'\n" }],
    ['millrace absent.txt', { code: 2, stderr: "millrace: there is no file 'absent.txt'\n" }],
  ]
  it.each(CLOSED)('%s', async (line, { code = 0, stdout = '', stderr = '' }) => {
    expect(await folder.shell(line)).toEqual({ code, signal: null, stdout, stderr })
  })
})
