/** The memory of lines is used again, also after streams that were left early. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lines, Pool } from 'millrace'
import { openKernel } from '#dist/scan/memory.js'
import { turns } from '../support/gates.js'
import { times } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-memory-'))
const path = join(folder, 'lines')

beforeAll(() => {
  writeFileSync(path, `${'x'.repeat(99)}\n`.repeat(200_000))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function memorySize(): number {
  return openKernel()?.memory.buffer.byteLength ?? NaN
}

/** Together much more than the window of a stream takes. */
const ROUNDS = times(5, 40)

it.each(['read to the end', 'left after the first result'])('of streams that were %s', async (end) => {
  const pool = new Pool({ workers: 2 })
  const read = async (): Promise<void> => {
    for await (const _ of pool.imap({ module: 'node:util', export: 'inspect' }, lines(path), { window: 20_000 })) {
      if (end.startsWith('left')) break
    }
    // Cancelled chunks end with their item.
    while (pool.stats().busy > 0) await turns(1)
  }
  for (let round = 0; round < 3; round++) await read()
  const before = memorySize()
  for (let round = 0; round < ROUNDS; round++) await read()
  // Chunks may be cut otherwise: some slabs more.
  expect(memorySize() - before).toBeLessThan(4 * 2 ** 20)
  await pool.close()
})
