/** The error classes of `millrace/multiprocessing` between threads. */
import { runProgram } from '../support/programs.js'

it('arrive as themselves where only millrace has been imported', async () => {
  const { code, stdout, stderr } = await runProgram('gets-errors.js')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.split('\n')).toEqual([
    'true true ERR_NOT_OWNER',
    'true true ERR_QUEUE_EMPTY',
    'true true ERR_NOT_OWNER',
    '',
  ])
})
