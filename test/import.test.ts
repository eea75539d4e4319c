/** Importing the library changes nothing in a program, until it makes a shared object, or starts a thread. */
import { runProgram } from './support/programs.js'

interface Effects {
  readonly before: object
  readonly after: object
  readonly calls: readonly string[]
  readonly names: boolean
}

describe.each(['millrace', 'millrace/multiprocessing', 'millrace/nats', 'millrace/task'])('importing %s', (name) => {
  it('adds no listener, no environment data, no handle and no global name', async () => {
    const ending = await runProgram('import-effects.js', [name])
    expect(ending).toMatchObject({ code: 0, stderr: '' })
    const { before, after, calls, names } = JSON.parse(ending.stdout) as Effects
    expect(names).toBe(true)
    expect(after).toEqual(before)
    expect(calls).toEqual([])
  })
})
