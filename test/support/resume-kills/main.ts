/**
 * Kills runs of `write()` with `resume`, and compares what they give in the end with runs without a stop:
 * `npm run stress -- resume --kills 1000 --seed 1 --lanes 2 --job NAME`. It ends with a line of figures. The status is 1 if
 * anything was different: then the files stay.
 */
import { parseArgs } from 'node:util'
import { killRuns, killsOf, type Tally } from './campaign.js'
import { hasZstd } from './inputs.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    seed: { type: 'string' },
    lanes: { type: 'string' },
    job: { type: 'string', multiple: true },
  },
})
/** How many kills there are between two lines on the way. */
const INTERVAL = 100

const seed = Number(values.seed ?? 1)
const began = performance.now()
let told = 0
const tally = await killRuns({
  kills: Number(values.kills ?? 1_000),
  seed,
  lanes: Number(values.lanes ?? 2),
  ...(values.job && { jobs: values.job }),
  onJob: (tally) => {
    const passed = Math.floor(killsOf(tally) / INTERVAL)
    if (passed > told) console.log(summaryOf(tally))
    told = passed
  },
})
for (const { job, seed, what, folder } of tally.differences) console.log(`'${job}', seed ${seed}, ${folder}: ${what}`)
console.log(`${summaryOf(tally)}; seed ${seed}${hasZstd ? '' : ', without zstd'}`)
process.exitCode = tally.differences.length > 0 ? 1 : 0

function summaryOf(tally: Tally): string {
  const { kills, beforeFirst, whenComplete, runs, wentOn, jobs, files, differences } = tally
  const seconds = Math.round((performance.now() - began) / 1_000)
  return (
    `${killsOf(tally)} kills (${kills.SIGKILL} by SIGKILL, ${kills.SIGTERM} by SIGTERM) in ${seconds} s: ` +
    `${beforeFirst} before the first checkpoint, ${whenComplete} when all was written; ` +
    `${runs} runs, ${wentOn} of them went on from a checkpoint; ` +
    `${jobs} jobs done, ${files} files compared, differences: ${differences.length}`
  )
}
