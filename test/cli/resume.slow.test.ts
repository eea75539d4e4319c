/** Runs of the command line that go on where an earlier one was stopped: killed at any step, or by a signal. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { CommandFolder, PROGRAM, Started } from '../support/command-line.js'
import { runNode, type Ending } from '../support/programs.js'
import { randomOf } from '../support/random.js'
import { spawn } from 'node:child_process'

const FAST = new URL('../support/fast-checkpoints.js', import.meta.url).href
const folder = new CommandFolder()
const describeOnLinux = process.platform === 'linux' ? describe : describe.skip
const QUIET = { code: 0, signal: null, stdout: '', stderr: '' }
const ROWS = 4_000

const rows = Array.from({ length: ROWS }, (_, id) => ({ id, kind: `k${id % 3}`, text: 'x'.repeat(id % 40) }))
const ndjson = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const csvOf = (part: typeof rows): string =>
  `id,kind,text\n${part.map(({ id, kind, text }) => `${id},${kind},${text}\n`).join('')}`

beforeAll(() => {
  folder.write('rows.ndjson', ndjson)
  folder.write('rows.ndjson.gz', zlib.gzipSync(ndjson))
  folder.write('in/a.csv', csvOf(rows.slice(0, 1_500)))
  folder.write('in/b.csv', csvOf(rows.slice(1_500)))
  folder.write(
    'tasks.mjs',
    `export default async (d) => {
      if (d.id % 16 === 0) await new Promise((done) => setTimeout(done, 1))
      if (d.id % 100 === 7) throw new RangeError('bad ' + d.id)
      return { ...d, twice: 2 * d.id }
    }`,
  )
  // The sum of all, and the order of the groups in which they came.
  folder.write(
    'sum.mjs',
    `export default {
      initial: { count: 0, sum: 0 },
      fold: async (all, d) => {
        if (d.id % 16 === 0) await new Promise((done) => setTimeout(done, 1))
        return { count: all.count + 1, sum: all.sum + Number(d.id) }
      },
      merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
      finish: (all) => ({ ...all, mean: all.sum / all.count }),
    }`,
  )
})

interface How {
  /** The step on disk before which it is killed: its number, or its name. */
  readonly killAt?: number | string
}

/** A run in a folder, with checkpoints all the time. */
function run(args: readonly string[], cwd: string, { killAt = '' }: How = {}): Promise<Ending> {
  const env = { KILL_AT: String(killAt) }
  return runNode(['--import', FAST, PROGRAM, ...args], { cwd: folder.at(cwd), env, limit: 60_000 })
}

/** A run with checkpoints as seldom as they are. */
function start(args: readonly string[], cwd: string): Started {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder.at(cwd),
    stdio: 'pipe',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  return new Started(child)
}

/** A hash of each file, by its name. */
function filesIn(cwd: string): Record<string, string> {
  const entries = readdirSync(folder.at(cwd), { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const start = folder.at(cwd).length + 1
  return Object.fromEntries(paths.sort().map((path) => [path.slice(start), hashOf(readFileSync(path, 'latin1'))]))
}

/** Its length tells more about a difference. */
function hashOf(text: string): string {
  return `${text.length} ${createHash('sha256').update(text).digest('hex')}`
}

function newFolder(name: string): string {
  rmSync(folder.at(name), { recursive: true, force: true })
  mkdirSync(folder.at(name))
  return name
}

/** How many items a checkpoint says are done; 0 if there is none. */
function itemsDone(checkpoint: string): number {
  if (!existsSync(folder.at(checkpoint))) return 0
  return (JSON.parse(readFileSync(folder.at(checkpoint), 'utf8')) as { counts: { read: number } }).counts.read
}

describe('killed at any step', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    'a file, and one of failed items': [
      '-m',
      '../tasks.mjs',
      '../rows.ndjson',
      '-o',
      'out.ndjson',
      '--rejects',
      'bad.ndjson',
    ],
    'gzip in and out': ['-m', '../tasks.mjs', '../rows.ndjson.gz', '-o', 'out.ndjson.gz', '--skip-errors'],
    'several inputs, partitions': [
      ...[
        '-m',
        '../tasks.mjs',
        '../in/*.csv',
        '-o',
        'out',
        '--partition',
        '`kind-${d.kind}`',
        '--rejects',
        'bad.ndjson',
      ],
      ...['--checkpoint', 'state/run.checkpoint'],
    ],
    'a file for each input, from the second pass': [
      ...['-e', 'd', '-m', '../tasks.mjs', '../in/*.csv', '-o', 'out/{name}.csv', '--skip-errors'],
    ],
    rotation: ['-m', '../tasks.mjs', '../rows.ndjson', '-o', 'out-{n}.csv', '--rotate', '40K', '--skip-errors'],
    'some of the items, two passes': [
      ...['../rows.ndjson', '--skip', '100', '--sample', '50%', '-m', '../tasks.mjs', '-e', '[i, d.id]'],
      ...['--head', '1500', '-o', 'out.txt', '--skip-errors'],
    ],
    'a fold': ['-r', '../sum.mjs', '../rows.ndjson', '-o', 'out.json'],
    ...(typeof (zlib as { zstdCompressSync?: unknown }).zstdCompressSync === 'function'
      ? { zstd: ['-m', '../tasks.mjs', '../rows.ndjson', '-o', 'out.ndjson.zst', '--skip-errors'] }
      : {}),
  }

  it.each(Object.entries(cases))('%s: the files are those of a run without a stop', async (name, args) => {
    const whole = newFolder('whole')
    // There, without the options that need --resume.
    const end = await run(
      args.filter((arg) => !arg.includes('checkpoint')),
      whole,
    )
    expect([0, 3]).toContain(end.code)
    const expected = filesIn(whole)

    const random = randomOf(name.length)
    const killed = newFolder('killed')
    let [kills, wentOn] = [0, 0]
    for (;;) {
      // Also other workers and windows.
      const ways = ['-j', String(1 + Math.floor(random() * 3)), '--window', String(50 + Math.floor(random() * 500))]
      // Before the first checkpoint, which takes some ten steps, or after some of them. With many outputs it takes more.
      const isKilled = kills < 4 || (wentOn === 0 && kills < 20)
      const killAt = isKilled ? 6 + Math.floor(random() * (24 + 8 * kills)) : ''
      if (Object.keys(filesIn(killed)).some((file) => file.endsWith('.checkpoint'))) wentOn++
      const next = await run([...args, '--resume', ...ways], killed, { killAt })
      if (next.signal === 'SIGKILL') kills++
      else {
        expect(next).toEqual({ ...end, stderr: next.stderr })
        break
      }
    }
    expect(filesIn(killed)).toEqual(expected)
    expect(wentOn).toBeGreaterThan(0)
  })

  it('unordered: each outcome is there once', async () => {
    const args = ['-u', '-m', '../tasks.mjs', '../rows.ndjson', '-o', 'out.ndjson', '--rejects', 'bad.ndjson']
    const whole = newFolder('whole')
    await run(args, whole)
    const killed = newFolder('killed')
    for (const killAt of [16, 20, 24, '']) await run([...args, '--resume'], killed, { killAt })
    expect(Object.keys(filesIn(killed))).toEqual(['bad.ndjson', 'out.ndjson'])
    const sorted = (name: string): string[] => readFileSync(folder.at(name), 'utf8').split('\n').sort()
    for (const name of ['bad.ndjson', 'out.ndjson']) expect(sorted(`killed/${name}`)).toEqual(sorted(`whole/${name}`))
  })
})

it('a run after one that was killed when all was done reads nothing, and has its exit code', async () => {
  const cwd = newFolder('complete')
  folder.write(
    'complete/task.mjs',
    "export default (d) => { if (d.id === 5) { console.error('seen'); throw new Error('5') } return d.id }",
  )
  const args = ['-m', './task.mjs', '../rows.ndjson', '-o', 'out.txt', '--rejects', 'bad.ndjson', '--resume']
  expect(await run(args, cwd, { killAt: 'rejects.rename' })).toMatchObject({ signal: 'SIGKILL', stderr: 'seen\n' })
  const files = ['bad.ndjson.part', 'out.txt', 'out.txt.checkpoint', 'out.txt.lock', 'task.mjs']
  expect(readdirSync(folder.at(cwd)).sort()).toEqual(files)
  const plan = await run([...args, '--dry-run'], cwd)
  expect(plan.stdout).toMatch(/^resume {2}from out\.txt\.checkpoint: all items are done$/m)
  expect(await run(args, cwd)).toEqual({ ...QUIET, code: 3 })
  expect(readdirSync(folder.at(cwd)).sort()).toEqual(['bad.ndjson', 'out.txt', 'task.mjs'])
  expect(readFileSync(folder.at('complete/out.txt'), 'utf8').split('\n').length).toBe(ROWS)
})

describe('the first signal', () => {
  const args = ['-m', '../tasks.mjs', '../rows.ndjson', '-o', 'out.ndjson', '--rejects', 'bad.ndjson', '--resume']

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s makes a last checkpoint, and says how to go on',
    async (name) => {
      // After the signal, so few items are under way that the checkpoint can be made in time.
      const gated = ['-m', './gate.mjs', ...args, '--window', '100']
      const gate = `export default async (d) => {
        if (d.id === 2000) console.error('here')
        if (d.id > 2000 && d.id < 3000) await new Promise((done) => setTimeout(done, 4))
        return d
      }`
      const [whole, stopped] = ['whole', 'stopped'] as const
      for (const cwd of [whole, stopped]) {
        newFolder(cwd)
        folder.write(`${cwd}/gate.mjs`, gate)
      }
      await run(gated, whole)
      const first = start(gated, stopped)
      await first.said('here')
      first.child.kill(name)
      const { code, signal, stdout, stderr } = await first.end()
      expect({ code, signal, stdout }).toEqual({ code: null, signal: name, stdout: '' })
      expect(stderr).toBe(`here\nmillrace: ended by ${name}; run the same command again to go on\n`)
      const done = itemsDone('stopped/out.ndjson.checkpoint')
      // All that was read when the signal came.
      expect(done).toBeGreaterThan(2_000)
      const plan = await run([...gated, '--dry-run'], stopped)
      expect(plan.stdout.split('\n').at(-2)).toBe(
        `resume  from out.ndjson.checkpoint: ${done.toLocaleString('en')} items are done`,
      )
      expect(await run(gated, stopped)).toEqual({ ...QUIET, code: 3 })
      expect(filesIn(stopped)).toEqual(filesIn(whole))
    },
  )
})

describe('a run that ends with an error', () => {
  it('keeps what is done, and goes on after the module was changed', async () => {
    const cwd = newFolder('failed')
    const task = (most: number): string =>
      `export default async (d) => {
        if (d.id % 16 === 0) await new Promise((done) => setTimeout(done, 1))
        if (d.id > ${most}) throw new Error('too large'); return d.id }`
    folder.write('failed/task.mjs', task(3_000))
    const args = ['-m', './task.mjs', '../rows.ndjson', '-o', 'out.txt', '--resume']
    expect(await run(args, cwd)).toEqual({
      ...QUIET,
      code: 1,
      stderr:
        'millrace: ../rows.ndjson:3002: Error: too large (in task task)\n' +
        'millrace: run the same command again to go on, with --allow-changed-code if you change a module\n',
    })
    expect(existsSync(folder.at('failed/out.txt.part'))).toBe(true)
    folder.write('failed/task.mjs', task(ROWS))
    expect(await run(args, cwd)).toEqual({
      ...QUIET,
      code: 5,
      stderr:
        "millrace: Cannot go on from 'out.txt.checkpoint' as './task.mjs' has changed " +
        "(if the results stay the same, add --allow-changed-code; or remove 'out.txt.checkpoint' to begin anew)\n",
    })
    expect(await run([...args, '--allow-changed-code'], cwd)).toEqual(QUIET)
    expect(readFileSync(folder.at('failed/out.txt'), 'utf8')).toBe(rows.map(({ id }) => `${id}\n`).join(''))
    // Nothing is left, so the next run begins anew.
    expect(readdirSync(folder.at('failed')).sort()).toEqual(['out.txt', 'task.mjs'])
    expect(await run(args, cwd)).toEqual(QUIET)
  })
})

describe('what cannot go on has exit code 5, and nothing is changed', () => {
  const args = ['-m', './task.mjs', 'in.ndjson', 'more.ndjson', '-o', 'out.ndjson', '--resume']

  /** A run that was stopped in the middle of its first file. */
  async function stopped(): Promise<string> {
    const cwd = newFolder('changed')
    folder.write('changed/in.ndjson', ndjson)
    folder.write('changed/more.ndjson', '{"id":1}\n')
    folder.write(
      'changed/task.mjs',
      "export default (d) => { if (d.id === 2000 && !process.env.AGAIN) throw new Error('here'); return d }",
    )
    for (let tries = 0; !(itemsDone('changed/out.ndjson.checkpoint') > 0); tries++) {
      expect(tries).toBeLessThan(20)
      await run(args, cwd)
    }
    return cwd
  }

  const CASES: readonly (readonly [name: string, change: () => readonly string[], says: string])[] = [
    [
      'an option',
      () => [...args, '-t', 'csv'],
      "Cannot go on from 'out.ndjson.checkpoint' as the command must be the same: -t was not given, and is 'csv' (give the same command again, or remove 'out.ndjson.checkpoint' to begin anew)",
    ],
    [
      'a stage',
      () => [...args, '-w', 'd.id > 1'],
      "Cannot go on from 'out.ndjson.checkpoint' as the command must be the same: stage 2 was not given, and is '-w d.id > 1' (give the same command again, or remove 'out.ndjson.checkpoint' to begin anew)",
    ],
    [
      'an input is missing',
      () => args.filter((arg) => arg !== 'more.ndjson'),
      "Cannot go on from 'out.ndjson.checkpoint' as the command must be the same: input 2 was 'more.ndjson', and is not given (give the same command again, or remove 'out.ndjson.checkpoint' to begin anew)",
    ],
    [
      'an input has changed',
      () => {
        folder.write('changed/in.ndjson', ndjson.replace('"id":0', '"id":9'))
        return args
      },
      `Cannot go on where an earlier run was as 'in.ndjson' must begin with the same 65536 bytes: received other ones (put the file back as it was, or remove 'out.ndjson.checkpoint' to begin at the start)`,
    ],
    [
      'the unfinished output is gone',
      () => {
        rmSync(folder.at('changed/out.ndjson.part'))
        return args
      },
      `Cannot go on with 'out.ndjson' as 'out.ndjson.part' is missing: the earlier run had made * bytes safe there (another program has changed it, or the disk has lost synced data: check them, and remove 'out.ndjson.checkpoint' to begin again)`,
    ],
    [
      'another run is at work',
      () => {
        const holder = { pid: process.ppid, host: 'another', since: '2026-11-30T12:00:00.000Z' }
        writeFileSync(folder.at('changed/out.ndjson.lock'), JSON.stringify(holder))
        return args
      },
      `Cannot go on with 'out.ndjson' as the process ${process.ppid} on the host 'another' has been at work on it since 2026-11-30T12:00:00.000Z (wait for its end; if it is gone, remove 'out.ndjson.lock')`,
    ],
    [
      'the checkpoint was changed',
      () => {
        folder.write('changed/out.ndjson.checkpoint', '{}')
        return args
      },
      "Cannot go on with 'out.ndjson.checkpoint' as it is not as it was written (remove it to begin again)",
    ],
    [
      'the checkpoint is of a newer version',
      () => {
        folder.write('changed/out.ndjson.checkpoint', '{"version":99,"millrace":"9.0.0"}')
        return args
      },
      "Cannot go on with 'out.ndjson.checkpoint' as it is of a newer version of millrace (9.0.0) (go on with that version, or remove it to begin again)",
    ],
  ]

  it.each(CASES)('%s', async (_, change, says) => {
    const cwd = await stopped()
    const changed = change()
    const before = filesIn(cwd)
    const { stderr, ...end } = await run(changed, cwd)
    expect(end).toEqual({ code: 5, signal: null, stdout: '' })
    const pattern = `millrace: ${says}\n`.split('*').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    expect(stderr).toMatch(new RegExp(`^${pattern.join('\\d+')}$`))
    expect(filesIn(cwd)).toEqual(before)
  })

  it('-q says nothing about where it goes on, and what has changed', async () => {
    const cwd = await stopped()
    folder.write('changed/in.ndjson', `${ndjson}{"id":"new"}\n`)
    folder.write('changed/task.mjs', 'export default (d) => d')
    expect(await run([...args, '--allow-changed-code', '-q'], cwd)).toEqual(QUIET)
    expect(readFileSync(folder.at('changed/out.ndjson'), 'utf8')).toBe(`${ndjson}{"id":"new"}\n{"id":1}\n`)
  })

  it('an input that has grown is read to its new end', async () => {
    const cwd = await stopped()
    folder.write('changed/in.ndjson', `${ndjson}{"id":"new"}\n`)
    folder.write('changed/task.mjs', 'export default (d) => d')
    const end = await run([...args, '--allow-changed-code', '-v', '--report', 'run.json'], cwd)
    expect(end).toMatchObject({ code: 0, stdout: '' })
    const [from, grown, figures] = end.stderr.split('\n')
    expect(from).toMatch(/^millrace: goes on from 'out\.ndjson\.checkpoint', after [\d,]+ items$/)
    expect(grown).toBe("millrace: 'in.ndjson' has grown by 13 bytes since the earlier run")
    expect(figures).toMatch(/^done in .*, resumed after [\d.]+ kB$/)
    const { totals } = JSON.parse(readFileSync(folder.at('changed/run.json'), 'utf8')) as {
      totals: { bytes: number; bytesEarlier: number }
    }
    expect(totals.bytesEarlier).toBeGreaterThan(0)
    expect(totals.bytes + totals.bytesEarlier).toBe(ndjson.length + 13 + 9)
    expect(readFileSync(folder.at('changed/out.ndjson'), 'utf8')).toBe(`${ndjson}{"id":"new"}\n{"id":1}\n`)
  })
})

describe('a fold', () => {
  const args = [
    '-r',
    './count.mjs',
    '../rows.ndjson',
    '--resume',
    '--checkpoint',
    'count.checkpoint',
    '--window',
    '100',
  ]
  const fold = (finish: string): string =>
    `export default { initial: 0, merge: (a, b) => a + b, finish: ${finish}, fold: async (n, d) => {
      if (d.id === 2000) console.error('here')
      if (d.id > 2000 && d.id < 3000) await new Promise((done) => setTimeout(done, 4))
      return n + 1
    } }`

  it('makes a last checkpoint at a signal, and prints its result in a later run', async () => {
    const cwd = newFolder('fold')
    folder.write('fold/count.mjs', fold('(n) => n'))
    const first = start(args, cwd)
    await first.said('here')
    first.child.kill('SIGTERM')
    expect(await first.end()).toEqual({
      ...QUIET,
      code: null,
      signal: 'SIGTERM',
      stderr: 'here\nmillrace: ended by SIGTERM; run the same command again to go on\n',
    })
    expect(itemsDone('fold/count.checkpoint')).toBeGreaterThan(2_000)
    expect(await run(args, cwd)).toEqual({ ...QUIET, stdout: `${ROWS}\n` })
    expect(readdirSync(folder.at('fold'))).toEqual(['count.mjs'])
  })

  it('has the exit code of items that have failed in an earlier run', async () => {
    const cwd = newFolder('fold')
    const kept = "if (d.id === 5) throw new Error('5')"
    folder.write('fold/count.mjs', fold('(n) => n').replace('return n', `${kept}; return n`))
    const first = start([...args, '--skip-errors'], cwd)
    await first.said('here')
    first.child.kill('SIGTERM')
    await first.end()
    expect(await run([...args, '--skip-errors'], cwd)).toEqual({ ...QUIET, code: 3, stdout: `${ROWS - 1}\n` })
  })

  it('whose value cannot be stored ends with exit code 5', async () => {
    const cwd = newFolder('fold')
    // It can be sent to another thread, and not written.
    const shared = `
      const count = (memory) => new Int32Array(memory)[0]
      const memoryOf = (n) => { const memory = new SharedArrayBuffer(4); new Int32Array(memory)[0] = n; return memory }
      export default {
        initial: undefined,
        fold: (memory) => memoryOf(memory ? count(memory) + 1 : 1),
        merge: (a, b) => (a && b ? memoryOf(count(a) + count(b)) : (a ?? b)),
        finish: count,
      }`
    folder.write('fold/count.mjs', shared)
    expect(await run(['-r', './count.mjs', '../rows.ndjson'], cwd)).toEqual({ ...QUIET, stdout: `${ROWS}\n` })
    expect(await run(args, cwd)).toEqual({
      ...QUIET,
      code: 5,
      stderr: expect.stringMatching(
        /^millrace: Cannot store the accumulator in a checkpoint as it must be plain data: .*SharedArrayBuffer.*\n$/,
      ) as string,
    })
  })

  it('whose finish() fails keeps what is folded', async () => {
    const cwd = newFolder('fold')
    folder.write('fold/count.mjs', fold("() => { throw new Error('no end') }"))
    expect(await run(args, cwd)).toEqual({
      ...QUIET,
      code: 1,
      stderr:
        'here\nmillrace: Error: no end\n' +
        'millrace: run the same command again to go on, with --allow-changed-code if you change a module\n',
    })
    folder.write('fold/count.mjs', fold('(n) => ({ n })'))
    const plan = await run([...args, '--dry-run'], cwd)
    expect(plan.stdout).toMatch(/^resume {2}from count\.checkpoint: all items are done$/m)
    // Nothing is folded again.
    expect(await run([...args, '--allow-changed-code'], cwd)).toEqual({ ...QUIET, stdout: `{"n":${ROWS}}\n` })
    expect(readdirSync(folder.at('fold'))).toEqual(['count.mjs'])
  })
})

describe('a glob does not match what an earlier run has made', () => {
  const OUTPUTS: readonly (readonly [name: string, output: readonly string[], made: RegExp])[] = [
    ['a file', ['-o', 'out.ndjson'], /^out\.ndjson$/],
    ['a file for each input', ['-o', 'sub/{name}.ndjson'], /^sub\/[ab]\.ndjson$/],
    ['partitions', ['-o', 'sub', '--partition', 'kind', '-t', 'ndjson'], /^sub\/kind=k\d\/part\.ndjson$/],
    ['rotation', ['-o', 'out-{n}.ndjson', '--rotate', '40K'], /^out-\d+\.ndjson$/],
  ]
  it.each(OUTPUTS)('%s', async (_, output, made) => {
    const cwd = newFolder('glob')
    folder.write('glob/a.ndjson', ndjson)
    folder.write('glob/b.ndjson', '{"id":-1,"kind":"k1"}\n')
    const args = ['-m', '../tasks.mjs', '**/*.ndjson*', ...output, '--rejects', 'bad.ndjson', '--resume', '-j', '1']
    const outputs = (): string[] => Object.keys(filesIn(cwd)).filter((path) => made.test(path.replace(/\.part$/, '')))
    // Behind a checkpoint or several; and when all is done, and has its name.
    for (const killAt of [60, 'checkpoint.unlink']) {
      expect(await run(args, cwd, { killAt })).toEqual({ ...QUIET, code: null, signal: 'SIGKILL' })
      expect(outputs()).not.toEqual([])
      expect(existsSync(folder.at(cwd, `${output[1]}.checkpoint`))).toBe(true)
    }
    expect(await run(args, cwd)).toEqual({ ...QUIET, code: 3 })
    const texts = outputs().map((path) => readFileSync(folder.at(cwd, path), 'utf8'))
    const ids = texts.flatMap((text) =>
      text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: number }).id),
    )
    const expected = rows.map(({ id }) => id).filter((id) => id % 100 !== 7)
    expect(ids.sort((one, other) => one - other)).toEqual([-1, ...expected])
  })
})

it('a module in TypeScript goes on where Node strips types; or the error says so, and nothing is made', async () => {
  const cwd = newFolder('typescript')
  folder.write(
    'typescript/task.ts',
    'interface Row { readonly id: number }\nexport default ({ id }: Row): number => 2 * id\n',
  )
  const args = ['-m', './task.ts', '../rows.ndjson', '-o', 'out.txt', '--resume']
  if (!(process.features as { typescript?: unknown }).typescript) {
    const { stderr, ...end } = await run(args, cwd)
    expect(end).toEqual({ code: 2, signal: null, stdout: '' })
    expect(stderr).toMatch(/^millrace: .*task\.ts.*: use Node 22\.18 or later, or compile the module to JavaScript\n$/)
    expect(readdirSync(folder.at(cwd))).toEqual(['task.ts'])
    return
  }
  expect(await run(args, cwd, { killAt: 'checkpoint.unlink' })).toMatchObject({ signal: 'SIGKILL' })
  expect(await run(args, cwd)).toEqual(QUIET)
  expect(readFileSync(folder.at(cwd, 'out.txt'), 'utf8')).toBe(rows.map(({ id }) => `${2 * id}\n`).join(''))
  expect(readdirSync(folder.at(cwd))).toEqual(['out.txt', 'task.ts'])
})

describeOnLinux('what can only begin at its start is wrong usage', () => {
  it('a pipe, and a device as the output', async () => {
    const pipe = await folder.shell('mkfifo pipe; millrace -e d pipe -o out.txt --resume')
    expect(pipe).toEqual({
      ...QUIET,
      code: 2,
      stderr: "millrace: --resume needs files, and 'pipe' is a device or a pipe: write it to a file first\n",
    })
    expect(await folder.run(['-e', 'd', 'rows.ndjson', '-o', '/dev/null', '--resume'])).toEqual({
      ...QUIET,
      code: 2,
      stderr: "millrace: --resume needs a file as the output, and '/dev/null' is a device or a pipe: write to a file\n",
    })
    expect(await folder.run(['-e', 'd', 'rows.ndjson', '-o', 'x', '--resume', '--checkpoint', 'rows.ndjson'])).toEqual({
      ...QUIET,
      code: 2,
      stderr: "millrace: --checkpoint 'rows.ndjson' is the input 'rows.ndjson': write to another file\n",
    })
  })
})
