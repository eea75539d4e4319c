/**
 * The process of one contender: it makes itself ready, then measures once for each line that it reads, and answers with a
 * line of JSON. It loads its own case and no other, so that memory and compiled code are its own.
 */
import { createInterface } from 'node:readline'
import type { Case } from './case.js'
import { NotMeasured } from './case.js'
import type { Reply } from './program.js'

const [caseName = '', contenderName = '', parameters = 'null'] = process.argv.slice(2)

function reply(line: Reply): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Node is run with `--expose-gc`. What one run leaves behind is not on the next one's clock. */
function collectGarbage(): void {
  ;(globalThis as { gc?: () => void }).gc?.()
}

const { default: one } = (await import(`../cases/${caseName}.js`)) as { default: Case }
const contender = one.contenders.find(({ name }) => name === contenderName)
try {
  const entry = await contender?.open?.(JSON.parse(parameters))
  if (entry === undefined) throw new Error(`Cannot run ${contenderName} of ${caseName} as there is none`)
  reply({ ready: true })
  for await (const _ of createInterface({ input: process.stdin })) {
    collectGarbage()
    reply(await entry.run())
  }
  await entry.close?.()
} catch (error) {
  if (!(error instanceof NotMeasured)) throw error
  reply({ missing: error.message })
}
// Some pools leave something behind that would keep the process alive.
process.exit()
