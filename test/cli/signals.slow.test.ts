/** How signals end a run of the command line. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CommandFolder } from '../support/command-line.js'

const TASKS = fileURLToPath(new URL('../fixtures/cli/tasks.js', import.meta.url))
const folder = new CommandFolder()
const describeOnLinux = process.platform === 'linux' ? describe : describe.skip

beforeAll(() => {
  folder.write('ten.txt', Array.from({ length: 10 }, (_, n) => `${n}\n`).join(''))
  // After the first signal, its thread never does anything else.
  folder.write(
    'blocks.js',
    `export default {
      initial: 0,
      fold: (n) => n + 1,
      merge: (a, b) => a + b,
      finish: () => {
        process.once('SIGINT', () => { console.error('blocked'); for (;;); })
        console.error('seen')
        return new Promise(() => setInterval(() => {}, 1_000))
      },
    }`,
  )
})

/** The files whose names begin so. */
const filesOf = (start: string): string[] => readdirSync(folder.path).filter((name) => name.startsWith(start))

describe('the first signal', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends a run in order, and is raised again: %s', async (name) => {
    const run = folder.start(['-m', `${TASKS}#noisy`, '-o', 'signal.txt', '--rejects', 'signal.bad'])
    run.child.stdin.write('a\n')
    await run.said('seen a')
    run.child.kill(name)
    const { signal, stdout, stderr } = await run.end()
    expect({ signal, stdout }).toEqual({ signal: name, stdout: '' })
    expect(stderr).toMatch(new RegExp(`millrace: ended by ${name}; nothing was published\n$`))
    expect(filesOf('signal.')).toEqual([])
  })

  it('ends a run whose task never ends', async () => {
    const run = folder.start(['-m', `${TASKS}#noisy`, '-m', `${TASKS}#hangs`, 'ten.txt'])
    await run.said('seen')
    run.child.kill('SIGTERM')
    expect(await run.end()).toMatchObject({ signal: 'SIGTERM' })
  })

  it('ends a run whose code on the main thread never ends, in a short time', async () => {
    folder.write(
      'waits.js',
      `export default { initial: 0, fold: (n) => n, merge: (n) => n,
        finish: () => { console.error('seen'); return new Promise(() => setInterval(() => {}, 1_000)) } }`,
    )
    const run = folder.start(['-r', './waits.js', 'ten.txt', '-o', 'waits.out', '--rejects', 'waits.bad'])
    await run.said('seen')
    run.child.kill('SIGINT')
    expect(await run.end()).toMatchObject({
      signal: 'SIGINT',
      stderr: expect.stringMatching(/ended by SIGINT/) as string,
    })
    expect(filesOf('waits.')).toEqual(['waits.js'])
  })
})

describe('the second signal', () => {
  it('ends the run at once, whatever the main thread does', async () => {
    const run = folder.start(['-r', './blocks.js', 'ten.txt'])
    await run.said('seen')
    run.child.kill('SIGINT')
    await run.said('blocked')
    run.child.kill('SIGINT')
    expect(await run.end()).toEqual({ code: null, signal: 'SIGINT', stdout: '', stderr: 'seen\nblocked\n' })
  })
})

describeOnLinux('Ctrl-C on a terminal', () => {
  it('ends the run as the signal does', async () => {
    const line = `millrace -m ${TASKS}#noisy -m ${TASKS}#hangs ten.txt > results.txt; echo "code $?"`
    expect(await folder.terminal(line, {}, [['seen', '\x03']])).toMatch(/millrace: ended by SIGINT/)
  })

  it('ends it at once if it is typed twice', async () => {
    const typed = [
      ['seen', '\x03'],
      ['blocked', '\x03'],
    ] as const
    const written = await folder.terminal('millrace -r ./blocks.js ten.txt > results.txt', {}, typed)
    expect(written).toMatch(/seen[^]*blocked/)
    expect(written).not.toMatch(/ended by/)
  })
})

describe('SIGUSR2 tells how far the run is', () => {
  it('while it waits for its input', async () => {
    const run = folder.start(['-m', `${TASKS}#noisy`])
    run.child.stdin.write('a\n')
    await run.said('seen a')
    run.child.kill('SIGUSR2')
    await run.said(' s: ')
    run.child.stdin.end()
    expect(await run.end()).toMatchObject({
      code: 0,
      stdout: 'a\n',
      stderr: expect.stringMatching(/millrace: \d+ s: /) as string,
    })
  })

  it('after the first signal that ends it', async () => {
    folder.write(
      'slow-end.js',
      `export default { initial: 0, fold: (n) => n, merge: (n) => n, finish: () => {
        process.once('SIGINT', () => console.error('caught'))
        console.error('seen')
        return new Promise(() => setInterval(() => {}, 1_000))
      } }`,
    )
    const run = folder.start(['-r', './slow-end.js', 'ten.txt'])
    await run.said('seen')
    run.child.kill('SIGINT')
    await run.said('caught')
    run.child.kill('SIGUSR2')
    await run.said('millrace: ')
    expect(await run.end()).toMatchObject({ signal: 'SIGINT' })
  })

  it('and ends no run on the main thread, which may be too busy to tell', async () => {
    const wait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)'
    const run = folder.start(['-e', `console.error('seen'), ${wait}, d`, 'ten.txt', '--head', '3'])
    await run.said('seen')
    run.child.kill('SIGUSR2')
    expect(await run.end()).toMatchObject({ code: 0, signal: null, stdout: '0\n1\n2\n' })
  })
})
