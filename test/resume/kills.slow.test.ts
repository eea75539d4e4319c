/** Whole processes that are killed at random times, and run again until they are done. More of it: `npm run stress -- resume`. */
import { killRuns, killsOf, type Tally } from '../support/resume-kills/campaign.js'
import type { CutFault } from '../support/resume-kills/child.js'
import { JOB_NAMES } from '../support/resume-kills/jobs.js'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'

const KILLS = 200

describe('a job that is killed and run again gives the files of a run without a stop', () => {
  const tallies: Tally[] = []

  it.each(JOB_NAMES)('%s', async (job) => {
    // Two at a time would both go on to their ends.
    const tally = await killRuns({ kills: Math.ceil(KILLS / JOB_NAMES.length), seed: 1, jobs: [job], lanes: 1 })
    expect(tally.differences).toEqual([])
    tallies.push(tally)
  })

  it('many runs went on from a checkpoint', () => {
    const sum = (of: (tally: Tally) => number): number => tallies.reduce((sum, tally) => sum + of(tally), 0)
    expect(sum(killsOf)).toBeGreaterThanOrEqual(KILLS)
    expect(sum(({ wentOn }) => wentOn)).toBeGreaterThan(KILLS / 4)
  })
})

describe('a control', () => {
  const jobs = ['CSV to CSV, with rejects', 'lines of gzip, flattened']

  it('the comparison finds a byte that a cut has changed', async () => {
    const found = await differencesWith('spoilt')
    expect(found.filter((what) => what.startsWith('other files'))).not.toEqual([])
  })

  it('files that are not cut are refused', async () => {
    const found = await differencesWith('uncut')
    expect(found.filter((what) => what.includes('ERR_CHECKPOINT_OUTPUT'))).not.toEqual([])
  })

  /** What was different. */
  async function differencesWith(fault: CutFault): Promise<string[]> {
    const { differences } = await killRuns({ kills: 20, seed: 1, jobs, fault })
    for (const { folder } of differences.slice(0, 1)) rmSync(dirname(folder), { recursive: true })
    return differences.map(({ what }) => what)
  }
})
