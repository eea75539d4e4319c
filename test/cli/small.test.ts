/** Which command lines run on the main thread. */
import { readArguments } from '#dist/cli/arguments/parse.js'
import { isSmall } from '#dist/cli/run/small.js'

function runsHere(args: readonly string[], size: number | undefined = 100): boolean {
  const request = readArguments([...args, 'a.txt'])
  if (!('plan' in request)) throw new Error('It asks for a text')
  return isSmall(request.plan, { size })
}

it('those with small files, and expressions that end with their item', () => {
  for (const expression of ['d', 'd.length', 'await d.promise', 'd.process + d.fetch', '`${i} ${file}`', 'd.eval'])
    expect([expression, runsHere(['-e', expression])]).toEqual([expression, true])
  expect(runsHere(['-w', 'd', '-E', '[...d]', '--skip-errors', '-t', 'csv', '--head', '3'])).toBe(true)
  expect(runsHere([])).toBe(true)
})

it('not those whose expressions could write, last longer, or fail later', () => {
  for (const expression of [
    'process.stdout.write(d)',
    'setTimeout(() => d, 1), d',
    "(await import('node:fs')).existsSync(d)",
    'Promise.reject(d), d',
    '(async () => { throw d })(), d',
    'fetch(d), d',
    'globalThis.x = d',
    '"\\u0070"',
  ])
    expect([expression, runsHere(['-e', expression])]).toEqual([expression, false])
})

it('not those with modules of the user, with files that are written, or with options of workers', () => {
  for (const args of [
    ['-m', './a.js'],
    ['-r', './a.js'],
    ['-M', 'a=./a.js', '-e', 'd'],
    ['-e', 'd', '-o', 'b.txt'],
    ['-e', 'd', '-t', 'parquet'],
    ['-e', 'd', '--rejects', 'b.txt'],
    ['-e', 'd', '--report', 'b.html'],
    ['-e', 'd', '-o', 'b.txt', '--resume'],
    ['-e', 'd', '-j', '1'],
    ['-e', 'd', '-u'],
    ['-e', 'd', '--window', '9'],
    ['-e', 'd', '--timeout', '5s'],
    ['-e', 'd', '--retries', '1'],
    ['--decompress', 'xz -dc'],
  ])
    expect([args, runsHere(args)]).toEqual([args, false])
})

it('not those with large files, or inputs of unknown size', () => {
  expect(runsHere(['-e', 'd'], 1024 * 1024)).toBe(false)
  expect(isSmallOfPipe()).toBe(false)
})

function isSmallOfPipe(): boolean {
  const request = readArguments(['-e', 'd'])
  return 'plan' in request && isSmall(request.plan, { size: undefined })
}
