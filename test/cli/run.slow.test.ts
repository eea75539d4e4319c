/** Runs of the command line on difficult inputs and outputs, and on terminals. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CommandFolder } from '../support/command-line.js'
import { FakeTerminal } from '../support/terminal.js'

const TASKS = fileURLToPath(new URL('../fixtures/cli/tasks.js', import.meta.url))
const folder = new CommandFolder()
const describeOnLinux = process.platform === 'linux' ? describe : describe.skip
const QUIET = { code: 0, signal: null, stdout: '', stderr: '' }

beforeAll(() => {
  folder.write('access.log', '10:00 200 /\n10:01 500 /a\nbroken\n10:02 503 /b\n10:03\n')
  folder.write('values.ndjson', '{"a":1}\n{"a":[2,"x"]}\n{}\n{"a":"text, \\"raw\\""}\n{"a":null}\n{"a":0.5}\n')
  folder.write('ten.txt', Array.from({ length: 10 }, (_, n) => `${n}\n`).join(''))
  folder.write('many.txt', Array.from({ length: 200_000 }, (_, n) => `${n}\n`).join(''))
})

describe('a small input', () => {
  // With -j, all inputs go to workers.
  const both = (args: readonly string[]): Promise<unknown[]> =>
    Promise.all([folder.run(args), folder.run([...args, '-j', '2'])])

  it('fails in the same way', async () => {
    const [here, workers] = await both(['-e', 'd', '-e', 'd.a.length', 'values.ndjson'])
    expect(here).toEqual({
      code: 1,
      signal: null,
      stdout: '2\n',
      stderr:
        "millrace: values.ndjson:3: TypeError: Cannot read properties of undefined (reading 'length') (in -e d.a.length)\n",
    })
    expect(workers).toEqual(here)
  })

  it('keeps what is printed by expressions out of the results', async () => {
    const [here, workers] = await both([
      '-e',
      'console.log("seen", d), d',
      '--head',
      '1',
      'values.ndjson',
      '--skip',
      '1',
    ])
    expect(here).toMatchObject({ code: 0, stdout: '{"a":[2,"x"]}\n' })
    expect(workers).toMatchObject({ code: 0, stdout: '{"a":[2,"x"]}\n' })
    for (const { stderr } of [here, workers] as { stderr: string }[])
      expect(stderr).toMatch(/^seen \{ a: \[ 2, 'x' \] \}\n/)
  })
})

it('counts failed items in a fold', async () => {
  const args = ['-m', TASKS, '-r', `${TASKS}#byStatus`, 'access.log', '--skip-errors']
  expect(await folder.run(args)).toEqual({ code: 3, signal: null, stdout: '{"200":1,"500":1,"503":1}\n', stderr: '' })
})

describe('inputs', () => {
  it('may be empty, binary, or without a last line end', async () => {
    folder.write('empty.txt', '')
    folder.write('binary.txt', Buffer.from([0xff, 0, 0x0a, 0x80, 0x0d, 0x0a, 0x41]))
    expect(await folder.run(['-e', 'd', 'empty.txt'])).toEqual(QUIET)
    expect(await folder.run(['-e', 'd', '-j', '1', 'empty.txt'])).toEqual(QUIET)
    const binary = await folder.run(['-e', '[...d].map((c) => c.codePointAt(0))', 'binary.txt'])
    expect(binary).toEqual({ ...QUIET, stdout: '[65533,0]\n[65533]\n[65]\n' })
  })

  it('may be the standard input, alone and among files, and closed', async () => {
    expect(await folder.run(['-e', 'd'], { input: 'a\nb' })).toEqual({ ...QUIET, stdout: 'a\nb\n' })
    expect(await folder.shell("echo x | millrace -e 'd + file' - ten.txt --head 2")).toEqual({
      ...QUIET,
      stdout: 'xundefined\n0ten.txt\n',
    })
    expect(await folder.shell('millrace -e d <&-')).toEqual(QUIET)
  })

  it('may grow while they are read', async () => {
    folder.write('grows.txt', 'a\n')
    const grow = "i < 3 && (await import('node:fs')).appendFileSync('grows.txt', 'b\\n'), d"
    const args = ['-e', grow, '-j', '1', 'grows.txt']
    const { code, stdout } = await folder.run(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^a\n(b\n){0,3}$/)
  })

  it('fail with the place of a bad record', async () => {
    folder.write('bad.ndjson', '{"a":1}\n{"a":\n{"a":3}\n')
    const run = await folder.run(['-e', 'd.a', 'bad.ndjson'])
    expect(run).toMatchObject({ code: 1 })
    expect(run.stderr).toMatch(/^millrace: bad\.ndjson:2: RecordError: .*\n$/)
    const skipped = await folder.run(['-e', 'd.a', 'bad.ndjson', '--skip-errors'])
    expect(skipped).toEqual({ ...QUIET, code: 3, stdout: '1\n3\n' })
  })

  it('leave out the first records, whatever these are', async () => {
    folder.write('late.ndjson', 'no JSON\n{"a":1}\n')
    expect(await folder.run(['-e', '[i, d.a]', 'late.ndjson', '--skip', '1'])).toEqual({ ...QUIET, stdout: '[0,1]\n' })
  })
})

describe('a reader that leaves', () => {
  it('ends an endless run at once, and its source', async () => {
    const line = `yes | { millrace -e d; echo "code $?" >&2; } | head -n 1`
    expect(await folder.shell(line)).toEqual({ ...QUIET, stdout: 'y\n', stderr: 'code 0\n' })
  })

  it('ends a run that waits for more input', async () => {
    const line = `{ echo a; echo b; sleep 0.2; echo c; cat /dev/zero | tr '\\0' '\\n'; } | { millrace -e d; echo "code $?" >&2; } | head -n 1`
    expect(await folder.shell(line)).toEqual({ ...QUIET, stdout: 'a\n', stderr: 'code 0\n' })
  })
})

describe('--head', () => {
  it('gives the first results, and reads no more than it needs', async () => {
    const line = `yes | { millrace -w 'i % 3 === 2' --head 2; echo "code $?" >&2; }`
    expect(await folder.shell(line)).toEqual({ ...QUIET, stdout: 'y\ny\n', stderr: 'code 0\n' })
  })

  it('bounds what a fold gets', async () => {
    folder.write('count.js', 'export default { initial: 0, fold: (n, d) => n + Number(d), merge: (a, b) => a + b }')
    const args = ['-w', 'd % 2 === 1', '-r', './count.js', '--head', '3', 'many.txt']
    expect(await folder.run(args)).toEqual({ ...QUIET, stdout: '9\n' })
  })
})

describeOnLinux('an output', () => {
  it('that is full fails the run', async () => {
    const stdout = await folder.shell('millrace -e d many.txt > /dev/full')
    expect(stdout).toMatchObject({ code: 1, stdout: '' })
    expect(stdout.stderr).toMatch(/^millrace: .*ENOSPC.*\n$/)
    const file = await folder.shell('ulimit -f 8; millrace -e d many.txt -o out.txt')
    expect(file).toMatchObject({ code: 1, stdout: '' })
    expect(file.stderr).toMatch(/^millrace: .*EFBIG.*\n$/)
    expect(readdirSync(folder.path).filter((name) => name.startsWith('out.txt'))).toEqual([])
  })

  it('is not made if the input cannot be read', async () => {
    // Reading there fails for everybody, also for root.
    const run = await folder.run(['-e', 'd', '/proc/self/mem', '-o', 'out.txt'])
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toMatch(/^millrace: .*EIO.*\/proc\/self\/mem/)
    expect(existsSync(folder.at('out.txt'))).toBe(false)
  })

  it('has folders by an expression', async () => {
    const args = ['-e', '({ n: d })', 'ten.txt', '-o', 'parts', '--partition', "'mod-' + d.n % 2"]
    expect(await folder.run(args)).toEqual(QUIET)
    expect(readFileSync(folder.at('parts/mod-1/part.csv'), 'utf8')).toBe('n\n1\n3\n5\n7\n9\n')
  })
})

describeOnLinux('on a terminal', () => {
  const onTerminal = folder.terminal.bind(folder)
  const millrace = 'millrace'

  it('shows progress while results go elsewhere, and a summary at the end', async () => {
    const written = await onTerminal(`${millrace} -e d -j 1 many.txt > results.txt`)
    const terminal = new FakeTerminal(100)
    terminal.write(written)
    expect(terminal.screen[0]).toMatch(/^done in .*: 200,000 items, .*limited by the /)
    expect(terminal.screen.at(-1)).toMatch(/^CPU time .*, at most [\d.]+ MB of memory$/)
    expect(readFileSync(folder.at('results.txt'), 'utf8')).toBe(readFileSync(folder.at('many.txt'), 'utf8'))
  })

  it('shows results alone if they go there, too, or if it is told to be quiet', async () => {
    expect(await onTerminal(`${millrace} -e d ten.txt --head 2`)).toBe('0\r\n1\r\n')
    expect(await onTerminal(`${millrace} -e d -j 1 -q many.txt > results.txt`)).toBe('')
  })

  it('follows --color and NO_COLOR', async () => {
    const line = `${millrace} -e "await new Promise((done) => setTimeout(done, 30)), d" -j 1 ten.txt`
    expect(await onTerminal(`${line} > results.txt`)).toMatch(/\x1b\[1m/)
    expect(await onTerminal(`${line} > results.txt`, { NO_COLOR: '1' })).not.toMatch(/\x1b\[\d+m/)
    expect(await onTerminal(`${line} --color never > results.txt`)).not.toMatch(/\x1b\[\d+m/)
    expect(await onTerminal(`${line} --color always > results.txt`, { NO_COLOR: '1' })).toMatch(/\x1b\[1m/)
  })

  it('ends at Ctrl-C as by the signal', async () => {
    const line = `${millrace} -m ${TASKS}#noisy -m ${TASKS}#hangs ten.txt > results.txt`
    expect(await onTerminal(line, {}, [['seen', '\x03']])).toMatch(/millrace: ended by SIGINT/)
  })
})
