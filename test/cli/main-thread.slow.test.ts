/** Code of the user on the main thread: folds, and expressions on small inputs. */
import { readdirSync } from 'node:fs'
import { CommandFolder } from '../support/command-line.js'

const folder = new CommandFolder()

beforeAll(() => {
  folder.write('two.txt', 'a\nb\n')
  folder.write(
    'holds.js',
    `setInterval(() => {}, 1_000)
    export const upper = (text) => text.toUpperCase()
    export const count = {
      initial: 0,
      fold: (n) => n + 1,
      merge: (a, b) => (console.log('merges'), process.stdout.write('writes\\n'), a + b),
      finish: (n) => (process.stdout.write('ends\\n'), n),
    }`,
  )
})

describe('a module that holds a timer', () => {
  it.each([
    ['-M', ['-M', 'm=./holds.js', '-e', 'm.upper(d)']],
    ['-m', ['-m', './holds.js#upper']],
  ])('does not keep the run from ending: %s', async (_, args) => {
    expect(await folder.run([...args, 'two.txt'])).toEqual({ code: 0, signal: null, stdout: 'A\nB\n', stderr: '' })
  })

  it('and that writes to the standard output does not change the results', async () => {
    const { code, stdout, stderr } = await folder.run(['-r', './holds.js#count', 'two.txt'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2\n' })
    expect(stderr).toMatch(/^(merges\nwrites\n)*ends\n$/)
  })

  it('does not keep a run that fails, or that is wrong', async () => {
    folder.write('throws.js', 'setInterval(() => {}, 1_000)\nthrow new Error("no")')
    expect(await folder.run(['-r', './throws.js', 'two.txt'])).toMatchObject({ code: 2, stdout: '' })
    folder.write(
      'fails.js',
      `setInterval(() => {}, 1_000)
      export default { initial: 0, fold: (n) => n, merge: (n) => n, finish: () => { throw new Error('no end') } }`,
    )
    const failed = await folder.run(['-r', './fails.js', 'two.txt'])
    expect(failed).toEqual({ code: 1, signal: null, stdout: '', stderr: 'millrace: Error: no end\n' })
  })
})

it('an error that nothing catches fails the run, and nothing is left', async () => {
  folder.write(
    'late.js',
    `setTimeout(() => { throw new TypeError('late') }, 50)
    export default { initial: 0, fold: (n) => n + 1, merge: (a, b) => a + b }`,
  )
  const run = folder.start(['-r', './late.js', '-o', 'late.out'])
  expect(await run.end()).toEqual({ code: 1, signal: null, stdout: '', stderr: 'millrace: TypeError: late\n' })
  expect(readdirSync(folder.path).filter((name) => name.startsWith('late.out'))).toEqual([])
})

it('an expression that fails after its item fails no other item', async () => {
  const { code, stdout, stderr } = await folder.run(['-e', 'Promise.reject(new Error("later")), d', 'two.txt'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'a\nb\n' })
  expect(stderr).toMatch(/^Uncaught error in worker 'millrace-\d', outside of any item:\nError: later/)
})

it('messages may go to a reader that leaves', async () => {
  const line = `exec 3>&1; { millrace -e 'd.a.b' two.txt; echo "code $?" >&3; } 2>&1 >/dev/null | true`
  expect(await folder.shell(line)).toEqual({ code: 0, signal: null, stdout: 'code 1\n', stderr: '' })
})

it('a key of --partition cannot await', async () => {
  const run = await folder.run(['-e', '({ d })', 'two.txt', '-o', 'parts', '--partition', 'await d.d'])
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toBe('millrace: --partition cannot await: compute the key in a stage before it\n')
})
