/** `commit()` into Postgres and SQLite, in whole processes that are killed at random times and run again until they are done. */
import { Campaigner, type Campaign, type Tally } from '../support/database-kills/campaign.js'
import { JOBS } from '../support/database-kills/jobs.js'
import { STORE_NAMES, type StoreName } from '../support/database-kills/stores.js'

/** For each database and job. */
const KILLS = Number(process.env.TEST_KILLS ?? 8)

/** SQLite is in a newer Node. */
const NODES: Readonly<Record<StoreName, string>> = {
  postgres: process.execPath,
  sqlite: process.env.NODE_WITH_SQLITE ?? process.execPath,
}

/** In all databases, side by side. */
async function inEach(
  campaign: Pick<Campaign, 'job' | 'kills' | 'seed' | 'way'>,
  run: (campaigner: Campaigner) => Promise<Tally>,
): Promise<Tally[]> {
  return await Promise.all(
    STORE_NAMES.map(async (store) => {
      const campaigner = new Campaigner({ ...campaign, store, node: NODES[store] })
      const tally = await run(campaigner)
      campaigner.remove()
      return tally
    }),
  )
}

describe('Postgres and SQLite', () => {
  it.each(Object.keys(JOBS))('have each row once after kills: %s', async (job) => {
    const tallies = await inEach({ job, kills: KILLS, seed: 1 }, (campaigner) => campaigner.run())
    for (const { differences, kills, wentOn } of tallies) {
      expect(differences).toEqual([])
      expect(kills).toBeGreaterThanOrEqual(KILLS)
      expect(wentOn).toBeGreaterThan(0)
    }
  })

  it.each(Object.keys(JOBS))('have each row once when three runs begin at the same time: %s', async (job) => {
    const tallies = await inEach({ job, kills: 0, seed: 2 }, (campaigner) => campaigner.runTogether(2))
    for (const { differences } of tallies) expect(differences).toEqual([])
  })

  it('a control: the comparison finds rows whose position is in another transaction', async () => {
    const [job = ''] = Object.keys(JOBS)
    const tallies = await inEach({ job, kills: 10 * KILLS, seed: 3, way: 'split' }, (campaigner) => campaigner.run())
    for (const { differences } of tallies) expect(differences).not.toEqual([])
  })
})
