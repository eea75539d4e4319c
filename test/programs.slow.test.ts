/** Whole programs: when and how they end (contract, clauses 23 and 25), and the effect of a missing guard. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNode, runProgram, type Ending } from './support/programs.js'
import { isFull } from './support/volume.js'

/** The program ended by itself, with status 0. */
function expectGood(ending: Ending): void {
  expect(ending).toMatchObject({ code: 0, signal: null, stderr: '' })
}

const QUIET_ENDS = [
  'ended',
  'unorderedEnded',
  'empty',
  'broken',
  'aborted',
  'neverIterated',
  'hangingThenBroken',
  'spinningThenBroken',
  'hangingThenReturned',
  'failed',
  'sourceFailed',
  'silentSource',
  'crashed',
  'poolNotClosed',
  'poolNotClosedForEver',
  'poolClosed',
  'poolTerminated',
  'poolMade',
  'startFailed',
]

describe('clause 23: a program exits by itself, within a turn of the event loop, when its stream', () => {
  for (const end of QUIET_ENDS) {
    it(`was ${end}`, async () => {
      const ending = await runProgram('exits.js', [end])
      expectGood(ending)
      expect(ending.stdout).toBe('end\nkept alive by: nothing\n')
    })
  }

  for (const end of ['forgotten', 'crashedIdle']) {
    it(`was ${end}, as soon as its workers have done what they have`, async () => {
      const ending = await runProgram('exits.js', [end])
      if (end === 'forgotten') expectGood(ending)
      else
        expect(ending).toMatchObject({ code: 0, signal: null, stderr: expect.stringContaining('too late') as string })
      expect(ending.stdout).toMatch(/^end\n/)
      expect(ending.stdout).not.toMatch('late')
    })
  }

  it('throws an uncaught error, with the usual status and stack', async () => {
    const ending = await runProgram('exits.js', ['uncaught'])
    expect(ending).toMatchObject({ code: 1, signal: null, stdout: '' })
    expect(ending.stderr).toMatch(/Error: fails\n.*at act /s)
    expect(ending.stderr).toMatch(/task 'act' \(item 0, worker \d+\)/)
  })

  it('has an endless source and is left at its first result: at most 100 items are read, and the source is closed', async () => {
    const ending = await runProgram('counter.js')
    expectGood(ending)
    const [result, figures] = ending.stdout.split('\n')
    expect(result).toBe('0')
    const { read, closed } = JSON.parse(figures ?? '') as { read: number; closed: number }
    expect(read).toBeGreaterThanOrEqual(1)
    expect(read).toBeLessThanOrEqual(100)
    expect(closed).toBe(1)
  })
})

describe('clause 25: a signal to the process', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Both signals take the same way.
    for (const ways of isFull || signal === 'SIGTERM' ? [[], ['spin'], ['ended']] : [['spin']]) {
      it(`${signal} ends the program as without the library (${ways[0] ?? 'running'})`, async () => {
        const ending = await runProgram('signals.js', ways, { kill: signal })
        expect(ending).toMatchObject({ code: null, signal, stderr: '' })
        expect(ending.stdout).toBe('{"before":[0,0],"after":[0,0]}\nready\n')
      })

      it(`${signal} reaches the program's own handler, and its exit status stands (${ways[0] ?? 'running'})`, async () => {
        const ending = await runProgram('signals.js', ['handlers', ...ways], { kill: signal })
        expect(ending).toMatchObject({ code: 7, signal: null, stderr: '' })
        expect(ending.stdout).toBe(`{"before":[0,0],"after":[0,0]}\nready\nhandled ${signal}\n`)
      })
    }

    it(`${signal} has the effect that \`threads\` gives it when the program had loaded that itself`, async () => {
      const ending = await runProgram('signals.js', ['threads'], { kill: signal })
      expect(ending).toMatchObject({ code: 0, signal: null, stderr: '' })
      expect(ending.stdout).toBe('{"before":[1,1],"after":[1,1]}\nready\n')
    })
  }

  it('is seen by the shell as status 143', async () => {
    const script = new URL('fixtures/programs/signals.js', import.meta.url).pathname
    const shell = `
      const { spawnSync, spawn } = require('node:child_process')
      const command = 'd=$(mktemp -d); mkfifo $d/out; "$0" "$1" > $d/out & pid=$!; ' +
        'while read line; do [ "$line" = ready ] && kill -TERM $pid; done < $d/out; wait $pid; echo status $?; rm -r $d'
      const { stdout } = spawnSync('sh', ['-c', command, process.execPath, ${JSON.stringify(script)}], { encoding: 'utf8' })
      console.log(stdout)`
    const ending = await runNode(['-e', shell])
    expect(ending.stdout).toMatch(/^status 143$/m)
  })
})

describe('a script without if (isMainThread)', () => {
  /** More modules loaded than this means that workers start workers. */
  const MOST_LOADS = 1 + 3 * availableParallelism()

  const SCRIPTS: readonly (readonly [title: string, program: string, ways: readonly string[]])[] = [
    ['awaits its pipeline at top level', 'guard-top-level.js', []],
    ...[[], ['async'], ['later'], ['later', 'async'], ['pool'], ['later', 'pool', 'async']].map(
      (ways) =>
        [
          `starts it in a main() that nobody awaits, after an await (${ways.join(', ') || 'plain'})`,
          'guard-main.js',
          ways,
        ] as const,
    ),
  ]
  for (const [title, program, ways] of isFull ? SCRIPTS : SCRIPTS.filter((_, at) => at % 2 === 0)) {
    it(`that ${title} gets an error that names the guard, and starts no threads without end`, async () => {
      const started = performance.now()
      const ending = await runProgram(program, [], {
        env: { WAYS: ways.join(' ') },
        most: { of: 'loaded', times: 4 * MOST_LOADS },
      })
      expect(ending).toMatchObject({ code: 1, signal: null })
      expect(ending.stderr).toMatch('if (isMainThread) { … }')
      expect(ending.stdout).not.toMatch(/result|done/)
      expect(ending.stdout.match(/loaded/g)?.length).toBeLessThanOrEqual(MOST_LOADS)
      expect(performance.now() - started).toBeLessThan(10_000)
    })
  }
})

describe('an error in a worker that belongs to no item', () => {
  const TEXTS = {
    timer: /^Uncaught error in worker 'strays-1', outside of any item:\nRangeError.*: stray timer\n {4}at /,
    rejection: /^Uncaught error in worker 'strays-1', outside of any item:\nRangeError.*: stray rejection\n {4}at /,
    undefined: /^Uncaught error in worker 'strays-1', outside of any item:\nundefined\n$/,
    socket: /^Uncaught error in worker 'strays-1', outside of any item:\nError: connect ENOENT/,
    handler: /^Uncaught error in worker 'strays-1', outside of any item:\nRangeError.*: stray handler\n {4}at /,
  }
  for (const [way, text] of Object.entries(TEXTS)) {
    it(`is written to stderr with the worker's name, and changes nothing else (${way})`, async () => {
      const ending = await runProgram('strays.js', [way])
      expect(ending).toMatchObject({ code: 0, signal: null, stdout: `${way}\nnone\n` })
      expect(ending.stderr).toMatch(text)
      expect(ending.stderr.match(/Uncaught error/g)).toHaveLength(1)
    })
  }

  it('is written there where it may have been that of several items, and proves to be of none', async () => {
    const ending = await runProgram('strays.js', ['many'])
    expect(ending).toMatchObject({ code: 0, signal: null, stdout: '[ 0, 1, 2 ]\n' })
    expect(ending.stderr).toMatch(
      /^Uncaught error in worker 'strays-1', outside of any item:\nRangeError.*: stray of many\n/,
    )
    expect(ending.stderr.match(/Uncaught error/g)).toHaveLength(1)
  })

  it('is left to a logger, to the log on stderr, or to a listener of the channel', async () => {
    const died = 'died with exit code 1: RangeError.*: stray timer'
    const logged = await runProgram('strays.js', ['timer', 'log'])
    expectGood(logged)
    expect(logged.stdout).toMatch(new RegExp(`^\\[strays-1\\] ${died}$`, 'm'))
    const inLog = await runProgram('strays.js', ['timer', 'stderr'])
    expect(inLog.stderr).toMatch(new RegExp(`^\\[ERROR/strays-1\\] ${died}\n`))
    expect(inLog.stderr).not.toMatch('Uncaught')
    expect(await runProgram('strays.js', ['timer', 'channel'])).toMatchObject({
      stdout: 'timer\ntold\nnone\ntold\n',
      stderr: '',
    })
    // A level alone is not a listener for the error.
    expect((await runProgram('strays.js', ['timer', 'level'])).stderr).toMatch(TEXTS.timer)
  })

  it('is none where a worker ends by process.exit()', async () => {
    expectGood(await runProgram('strays.js', ['exit']))
  })
})

describe('other programs', () => {
  it.each(['closed', 'replaced'])('lose nothing of what workers print that are %s', async (how) => {
    const numbers = [1, 2, 3, 4, 5]
    expect(await runProgram('prints.js', [how])).toEqual({
      code: 0,
      signal: null,
      stdout: numbers.map((n) => `said ${n}\n`).join('') + 'closed\n',
      stderr: numbers.map((n) => `told ${n}\n`).join(''),
    })
  })

  it.each(['workers', 'this thread'])(
    'have thirty items at once that use their signal on %s without a warning',
    async (where) => {
      const ending = await runProgram('many-signals.js', [where])
      expectGood(ending)
      expect(ending.stdout).toBe('60\n')
    },
  )

  for (const how of ['default', 'pool', 'nested', 'daemon', 'initializer', 'thrown elsewhere']) {
    it(`get all that workers print before they end by themselves, in order, and their exit handlers run (${how})`, async () => {
      const lines = Array.from({ length: 3_000 }, (_, n) => `line ${n}`)
      const ending = await runProgram('prints-and-ends.js', [how, '3000'])
      expect(ending).toMatchObject({ code: how === 'thrown elsewhere' ? 7 : 0, signal: null })
      expect(ending.stdout.split('\n')).toEqual([...lines, 'exits', ''])
      expect(ending.stderr).toBe('told\n')
    })
  }

  it('get it in a file, too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
    const path = join(folder, 'out')
    const program = fileURLToPath(new URL('fixtures/programs/prints-and-ends.js', import.meta.url))
    const shell = `"${process.execPath}" "${program}" default 3000 >"${path}"`
    const ending = await runNode(['-e', `require('node:child_process').execSync(process.argv[1])`, shell])
    expect(ending).toMatchObject({ code: 0, signal: null })
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3_002)
    rmSync(folder, { recursive: true })
  })

  it('end at once by process.exit(), even if workers are busy at their end', async () => {
    const ending = await runProgram('prints-and-ends.js', ['exit', '3'])
    expect(ending).toMatchObject({ code: 5, signal: null })
    expect(ending.stdout).not.toMatch('exits')
  })

  it('have listeners of the library for their end only while it has workers', async () => {
    const ending = await runProgram('prints-and-ends.js', ['listeners', '1'])
    expectGood({ ...ending, stderr: '' })
    expect(ending.stdout).toMatch(/^0 1 0\n/m)
  })

  it('CommonJS: require("millrace") works, with __filename as the module of a task', async () => {
    const ending = await runProgram('require.cjs', [], { execArgv: ['--disable-warning=ExperimentalWarning'] })
    expectGood(ending)
    expect(ending.stdout).toBe('ONE\nTWO\n')
  })

  it('run where code from strings is not allowed', async () => {
    const ending = await runProgram('one-file.js', [], { execArgv: ['--disallow-code-generation-from-strings'] })
    expectGood(ending)
    expect(
      ending.stdout
        .split('\n')
        .slice(0, 2)
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { x: 1, execArgv: ['--disallow-code-generation-from-strings'] },
      { x: 2, execArgv: ['--disallow-code-generation-from-strings'] },
    ])
  })

  for (const flags of [['--frozen-intrinsics', '--no-warnings'], ['--no-addons'], ['--disable-proto=throw']]) {
    it(`run with ${flags[0] ?? ''}`, async () => {
      const ending = await runProgram('counter.js', [], { execArgv: flags })
      expectGood(ending)
      expect(ending.stdout).toMatch(/^0\n/)
    })
  }
})
