/** The manual, as programs for manuals read it. */
import { textOf } from '#dist/cli/arguments/show.js'
import { EXAMPLES } from '#dist/cli/arguments/texts/examples.js'
import { runInstalled } from '../support/installed.js'

const page = textOf('man')

it('has no fault for mandoc', () => {
  expect(runInstalled('mandoc', ['-Tlint'], { input: page })).toBe('')
})

it('has no fault for groff', () => {
  expect(runInstalled('groff', ['-man', '-ww', '-z'], { input: page })).toBe('')
})

it.each(['mandoc', 'groff'])('shows commands that can be copied, with %s', (program) => {
  const args = program === 'mandoc' ? ['-Tutf8', '-Owidth=100'] : ['-man', '-Tutf8', '-P-cbou', '-rLL=100n']
  const text = runInstalled(program, args, { input: page }).replaceAll(/.\x08/g, '')
  for (const { command } of EXAMPLES) for (const line of command.split('\n')) expect(text).toContain(line.trim())
})
