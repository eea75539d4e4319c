/** What jobs of BullMQ do. Its data is JSON, so bytes are base64. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface BullData {
  readonly bytes?: string
  readonly wait?: number
}

export async function process({ data }: { readonly data: BullData }): Promise<string | number> {
  if (data.wait === undefined) return data.bytes ?? ''
  await sleep(data.wait)
  return data.wait
}
