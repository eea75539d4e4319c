/** How runs of the command line end: what they print, what they say, and with which code. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CommandFolder } from '../support/command-line.js'

const TASKS = fileURLToPath(new URL('../fixtures/cli/tasks.js', import.meta.url))
const folder = new CommandFolder()

beforeAll(() => {
  folder.write('access.log', '10:00 200 /\n10:01 500 /a\nbroken\n10:02 503 /b\n10:03\n')
  folder.write('values.ndjson', '{"a":1}\n{"a":[2,"x"]}\n{}\n{"a":"text, \\"raw\\""}\n{"a":null}\n{"a":0.5}\n')
  folder.write('numbers.txt', Array.from({ length: 2_000 }, (_, n) => `${n}\n`).join(''))
})

describe('a small input', () => {
  // With -j, all inputs go to workers.
  const both = (args: readonly string[]): Promise<unknown[]> =>
    Promise.all([folder.run(args), folder.run([...args, '-j', '2'])])

  it('gives the same on this thread and in workers', async () => {
    const stages = ['-e', 'd.a', '-E', 'Array.isArray(d) ? d : [d]', '-w', 'd !== 0.5', '-e', 'await d']
    const [here, workers] = await both([...stages, 'values.ndjson'])
    expect(here).toEqual({ code: 0, signal: null, stdout: '1\n2\nx\ntext, "raw"\nnull\n', stderr: '' })
    expect(workers).toEqual(here)
  })

  it('counts items in the stage that asks for it, and knows their places there', async () => {
    const args = ['-w', 'd % 500 === 7', '-e', '`${i} ${file}:${record} ${d}`', 'numbers.txt']
    const [here, workers] = await both(args)
    const stdout = '0 numbers.txt:8 7\n1 numbers.txt:508 507\n2 numbers.txt:1008 1007\n3 numbers.txt:1508 1507\n'
    expect(here).toEqual({ code: 0, signal: null, stdout, stderr: '' })
    expect(workers).toEqual(here)
  })
})

describe('items that fail', () => {
  it('end the run at the first one, and nothing is published', async () => {
    const run = await folder.run(['-m', TASKS, 'access.log', '-o', 'hits.ndjson', '-v'])
    expect(run).toMatchObject({ code: 1, stdout: '' })
    const [line, ...stack] = run.stderr.split('\n')
    expect(line).toBe("millrace: access.log:3: TypeError: 'broken' has no path (in task tasks)")
    expect(stack.join('\n')).toMatch(/\n {4}at .*parse.*tasks\.js/)
    expect(existsSync(folder.at('hits.ndjson'))).toBe(false)
    expect(existsSync(folder.at('hits.ndjson.part'))).toBe(false)
  })

  it('are counted, up to a limit', async () => {
    const args = ['-m', TASKS, '-e', 'd.path', 'access.log', '--skip-errors']
    const [skipped, given] = await Promise.all([folder.run(args), folder.run([...args, '--max-errors', '1'])])
    expect(skipped).toEqual({ code: 3, signal: null, stdout: '/\n/a\n/b\n', stderr: '' })
    expect(given).toMatchObject({ code: 4 })
    expect(given.stderr).toMatch(/^millrace: .* received 2 failed items of 5.*: TypeError: .* \(in task tasks\)\n$/)
  })
})

it('ends with 2 if it cannot begin, and reads nothing', async () => {
  const log = readFileSync(folder.at('access.log'), 'utf8')
  const [absent, same] = await Promise.all([
    folder.run(['-m', `${TASKS}#none`, 'access.log']),
    folder.run(['-e', 'd', 'access.log', '-o', './access.log']),
  ])
  expect(absent).toMatchObject({ code: 2, stdout: '' })
  expect(absent.stderr).toMatch(/^millrace: Cannot run task 'none' as .* has no function exported as 'none'\n/)
  expect(same).toMatchObject({ code: 2, stdout: '' })
  expect(same.stderr).toMatch(/^millrace: --output '\.\/access\.log' is the input 'access\.log': /)
  expect(readFileSync(folder.at('access.log'), 'utf8')).toBe(log)
})
