/** Looking at the first bytes of an input without losing them. */
import { NO_BYTES } from '../codec/line-end.js'
import type { Reader } from './source.js'

/**
 * Reads until the first bytes are enough, and gives what was read. It waits for no more bytes than that takes, so it
 * does not hold back the first line of a slow source.
 */
export async function peek(input: Reader<Buffer>, isEnough: (head: Buffer) => boolean): Promise<Buffer> {
  let head = NO_BYTES
  while (!isEnough(head)) {
    // A copy, since the source may use the chunk's memory again for its next one.
    const before = Buffer.from(head)
    const result = await input.next()
    if (result.done) return before
    head = before.length === 0 ? result.value : Buffer.concat([before, result.value])
  }
  return head
}

export function prepend(head: Buffer, rest: Reader<Buffer>): Reader<Buffer> {
  let given = false
  return {
    close: () => rest.close(),
    next: () => {
      if (given) return rest.next()
      given = true
      return { done: false, value: head }
    },
  }
}
