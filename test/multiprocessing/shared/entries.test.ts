/** `millrace` and `millrace/multiprocessing` have one state, in every way to load them. */
import { runProgram } from '../../support/programs.js'

describe('objects of millrace/multiprocessing pass through imap of millrace', () => {
  it.each([
    ['import', 'import'],
    ['import', 'require'],
    ['require', 'import'],
    ['require', 'require'],
  ])('(millrace by %s, millrace/multiprocessing by %s)', async (core, other) => {
    const ending = await runProgram('one-state.js', [core, other])
    const numbers = Array.from({ length: 20 }, (_, n) => n + 1).join(' ')
    expect(ending).toMatchObject({ code: 0, stdout: `${numbers} 20\n`, stderr: '' })
  })
})

it('a program that imports millrace alone gets a lock that a task has made', async () => {
  const ending = await runProgram('gets-lock.js')
  expect(ending).toMatchObject({ code: 0, stdout: 'Lock held\nLock held\ntrue\n', stderr: '' })
})
