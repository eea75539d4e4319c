/**
 * A program that does a job of `commit()` into a real database, for `campaign.ts`, which kills it. It prints
 * 'begin'. At its end it writes the rows of the database into a file, and prints a line of JSON.
 */
import { writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { CheckpointError, Pool, type CommitResult } from 'millrace'
import type { Ways } from '../resume-kills/jobs.js'
import { JOBS } from './jobs.js'
import { openStore, rowsPath, type StoreName, type Way } from './stores.js'

/** What it is given, as JSON. */
export interface ChildArguments {
  readonly store: StoreName
  /** One of `JOBS`, and the name under which it is in the store. */
  readonly job: string
  readonly name: string
  readonly inputs: string
  /** The folder of its files. */
  readonly output: string
  readonly ways: Ways
  readonly items: number
  readonly way?: Way
}

/** What it prints at its end. */
export interface ChildResult {
  /** Undefined: another run was at work. */
  readonly result?: CommitResult
  /** How long it was at work, in milliseconds. */
  readonly duration: number
}

const given = JSON.parse(process.argv[2] ?? '{}') as ChildArguments
const { store, job, name, inputs, output, ways, items, way } = given

/** At once: it may be killed directly afterwards. */
function print(line: string): void {
  writeSync(process.stdout.fd, `${line}\n`)
}

print('begin')
const began = performance.now()
const target = await openStore(store, name, output, way)
const known = JOBS[job]
if (known === undefined) throw new Error(`There is no job '${job}'`)
let result: CommitResult | undefined
try {
  result = await known.run({
    pool: new Pool({ workers: Math.max(1, ways.workers) }),
    ways,
    target,
    options: { items },
    input: (suffix) => join(inputs, suffix, '*'),
    at: (name) => join(output, name),
  })
} catch (error) {
  if (!(error instanceof CheckpointError) || error.code !== 'ERR_CHECKPOINT_LOCKED') throw error
}
writeFileSync(rowsPath(output), JSON.stringify(await target.rows()))
await target.close()
print(JSON.stringify({ ...(result && { result }), duration: performance.now() - began } satisfies ChildResult))
