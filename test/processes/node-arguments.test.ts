/** Which options of Node a worker process gets. */
import { nodeArguments } from '#dist/processes/node-arguments.js'

const own = process.execArgv

afterEach(() => {
  process.execArgv = own
})

describe('the options of Node for a worker process', () => {
  it.each([
    [
      ['--import', 'tsx', '--enable-source-maps'],
      ['--import', 'tsx', '--enable-source-maps'],
    ],
    [['--inspect', '--inspect-brk=9230', '--conditions=x'], ['--conditions=x']],
    [
      ['--inspect-port', '0', '-r', './hook.cjs'],
      ['-r', './hook.cjs'],
    ],
    [['--input-type=module', '-e', 'console.log(1)', '--no-warnings'], ['--no-warnings']],
    [['--input-type', 'module', '--eval=1'], []],
    [['-p', '1 + 1', '--max-old-space-size=100'], ['--max-old-space-size=100']],
    [['--test', '--watch', '--watch-path', 'lib'], []],
    [['--env-file=.env', '--env-file', 'local.env', '--no-warnings'], ['--no-warnings']],
  ])('are those of the program, without those that would run something else: %j', (given, expected) => {
    process.execArgv = given
    expect(nodeArguments(undefined, undefined)).toEqual(expected)
  })

  it('are those that were given, as they are', () => {
    expect(nodeArguments(['--inspect'], { maxOldGenerationSizeMb: 50.5 })).toEqual([
      '--inspect',
      '--max-old-space-size=51',
    ])
  })
})
