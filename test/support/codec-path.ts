/**
 * Chooses a path of the codec for a whole run of tests, by the environment variable CODEC_PATH. Small chunks also take
 * it, in this process and in its workers. Programs that tests start have the normal limits.
 */
import { MessagePort, setEnvironmentData } from 'node:worker_threads'
import type { CodecLimits } from '#dist/codec/limits.js'

/** By name: the limits that replace those of the library, and whether a single record becomes a column. */
const PATHS: Readonly<Record<string, { readonly limits: Partial<CodecLimits>; readonly isColumn: boolean }>> = {
  columns: { limits: { minValues: 1 }, isColumn: true },
  generated: { limits: { minValues: 1, minRecordsForCode: 0 }, isColumn: true },
  loops: { limits: { minValues: 1, minRecordsForCode: Infinity }, isColumn: true },
  clones: { limits: { minValues: Infinity }, isColumn: false },
}

const name = process.env.CODEC_PATH
if (name !== undefined) {
  const path = PATHS[name]
  if (path === undefined)
    throw new Error(`Cannot test the codec's path '${name}': there are ${Object.keys(PATHS).join(', ')}`)
  // This must come before the module that reads them is loaded.
  setEnvironmentData('millrace.codecLimits', path.limits)
  const isColumn = await sendsColumn()
  if (isColumn !== path.isColumn) throw new Error(`The codec's path '${name}' is not the one that is in force`)
}

/** Whether a single record is sent to a worker as a column. */
async function sendsColumn(): Promise<boolean> {
  const { Pool } = await import('millrace')
  const pool = new Pool({ workers: 1 })
  const post = jest.spyOn(MessagePort.prototype, 'postMessage')
  try {
    await pool.map({ module: 'node:util', export: 'inspect' }, [{ a: 1 }])
    const chunk = post.mock.calls.map(([message]) => message as unknown).find((message) => Array.isArray(message))
    // Number, slot, job, index of the first item, whether the first result is posted at once, and the items.
    return !Array.isArray((chunk as readonly unknown[])[5])
  } finally {
    post.mockRestore()
    await pool.close()
  }
}
