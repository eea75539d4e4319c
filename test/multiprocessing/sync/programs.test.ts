/** A lock does not keep a program alive. A call that waits for it does. */
import { runProgram } from '../../support/programs.js'

it.each([
  ['none', 'held\n'],
  ['timed', 'held\nundefined false\n'],
  ['granted', 'held\ngranted\n'],
  ['by a thread', 'held\ntrue\n'],
])('a program that holds a lock ends by itself, not before its calls (%s)', async (how, stdout) => {
  expect(await runProgram('lock-exits.js', [how])).toMatchObject({ code: 0, stdout, stderr: '' })
})
