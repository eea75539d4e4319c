/** `--sample`: the same items on this thread, in workers and in the library. */
import { lines, sample } from 'millrace'
import { CommandFolder } from '../support/command-line.js'

const folder = new CommandFolder()
const numbers = Array.from({ length: 3_000 }, (_, n) => `${n}`)

beforeAll(() => {
  folder.write('numbers.txt', numbers.map((n) => `${n}\n`).join(''))
  folder.write('some.ndjson', numbers.map((n) => `{"n":${n}}\n`).join(''))
})

it('chooses the items of the library, which another run chooses again', async () => {
  const expected = await sample(0.01, lines(folder.at('numbers.txt'))).toArray()
  expect(expected.length).toBeGreaterThan(10)
  const printed = { code: 0, signal: null, stdout: expected.map((n) => `${n}\n`).join(''), stderr: '' }
  const runs = await Promise.all([
    folder.run(['--sample', '1%', 'numbers.txt']),
    folder.run(['--sample', '0.01', '-e', 'd', '-j', '2', 'numbers.txt']),
    folder.run(['--sample', '1%', '-e', 'd.n', 'some.ndjson']),
  ])
  for (const run of runs) expect(run).toEqual(printed)
})

it('samples what --skip has left, and ends with --head', async () => {
  const rest = lines([Buffer.from(numbers.slice(1_000).join('\n'))])
  const expected = await sample(0.02, rest, { seed: 9 }).take(3).toArray()
  const args = ['--skip', '1000', '--sample', '2%', '--seed', '9', '--head', '3']
  const stages = ['-e', '`${d} ${record - 1}`', 'numbers.txt']
  const run = await folder.run([...args, ...stages])
  expect(run.stdout).toBe(expected.map((n) => `${n} ${n}\n`).join(''))
  const dry = await folder.run(['--sample', '2.5%', '--dry-run', 'numbers.txt'])
  expect(dry.stdout).toMatch(/^sample {2}2\.5% of the items, seed 0$/m)
})
