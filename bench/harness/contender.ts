/**
 * The process of one contender. It prepares itself. Then it measures once for each line that it reads, and answers with
 * a line of JSON. It loads only its own case, so that memory and compiled code are its own.
 */
import { createInterface } from 'node:readline'
import type { Case } from './case.js'
import { NotMeasured } from './case.js'
import { CpuMeter } from './cpu.js'
import type { Reply } from './program.js'

const [caseName = '', contenderName = '', parameters = 'null'] = process.argv.slice(2)

function reply(line: Reply): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const { default: one } = (await import(`../cases/${caseName}.js`)) as { default: Case }
const contender = one.contenders.find(({ name }) => name === contenderName)
try {
  const meter = await CpuMeter.create()
  const entry = await contender?.open?.(JSON.parse(parameters))
  if (entry === undefined) throw new Error(`Cannot run ${contenderName} of ${caseName} as there is none`)
  reply({ ready: true })
  for await (const _ of createInterface({ input: process.stdin })) {
    meter.start()
    const measured = await entry.run()
    reply({ ...measured, cpu: meter.stop() })
  }
  await entry.close?.()
} catch (error) {
  if (!(error instanceof NotMeasured)) throw error
  reply({ missing: error.message })
}
// Some pools keep the process alive after their end.
process.exit()
