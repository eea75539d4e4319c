/** What jobs of BullMQ do. Its data is JSON, so bytes are base64. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface BullData {
  readonly bytes?: string
  readonly wait?: number
  /** How many bytes to give back. Default: all. */
  readonly back?: number
}

export async function process({ data }: { readonly data: BullData }): Promise<string | number> {
  if (data.wait === undefined) {
    const { bytes = '', back } = data
    return back === undefined ? bytes : Buffer.from(bytes, 'base64').subarray(0, back).toString('base64')
  }
  await sleep(data.wait)
  return data.wait
}
