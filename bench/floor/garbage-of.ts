/**
 * Runs a contender several times, for `garbage.ts`: its case, its name, its parameters as JSON, and the number of runs.
 * It prints nothing itself: its output is what V8 tells of its collections.
 */
import type { Case } from '../harness/case.js'

const [caseName = '', contenderName = '', parameters = 'null', runs = '1'] = process.argv.slice(2)
// The first collection that V8 tells of is one of this thread.
;(globalThis as { gc?: () => void }).gc?.()
const { default: one } = (await import(`../cases/${caseName}.js`)) as { default: Case }
const contender = one.contenders.find(({ name }) => name === contenderName)
const entry = await contender?.open?.(JSON.parse(parameters))
if (entry === undefined) throw new Error(`Cannot run ${contenderName} of ${caseName} as there is none`)
for (let run = 0; run < Number(runs); run++) await entry.run()
await entry.close?.()
process.exit()
