/** Sources of JSON values: any bytes, cut anywhere, give the same on this thread and on workers. */
import { inspect } from 'node:util'
import fc from 'fast-check'
import { imap, Pool } from 'millrace'
import { times } from './volume.js'

/** The bytes in blocks that end at these places. */
export function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const bounds = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end))
}

/** Values and errors in order, and the error that ended the source. */
async function outcomesOf(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  try {
    for await (const outcome of source) {
      const { status, value, reason } = outcome as { status: string; value?: unknown; reason?: unknown }
      all.push(status === 'fulfilled' ? [value] : String(reason))
    }
  } catch (error) {
    all.push(String(error))
  }
  return all
}

/**
 * @param read Makes the source of blocks of bytes.
 * @param tokens The bytes are often made of these.
 * @param start All bytes begin with it.
 */
export async function expectSameForAnyBytes(
  read: (blocks: Buffer[]) => AsyncIterable<unknown>,
  tokens: readonly string[],
  start = '',
): Promise<void> {
  const token = fc.constantFrom(...tokens)
  const raw = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((raw) => Buffer.from(raw).toString('latin1'))
  const bytes = fc
    .array(fc.oneof({ weight: 3, arbitrary: token }, raw), { maxLength: 40 })
    .map((parts) => Buffer.from(start + parts.join(''), 'latin1'))
  const here = (value: unknown): string => inspect(value)
  const there = { module: 'node:util', export: 'inspect' } as const
  const options = { errors: 'settle' } as const
  await using pool = new Pool({ workers: 2 })
  await fc.assert(
    fc.asyncProperty(bytes, fc.array(fc.nat(300), { maxLength: 8 }), async (input, cuts) => {
      // Zeros look like UTF-16, and some first bytes like a compression.
      fc.pre(!input.includes(0) && (input[0] ?? 0) !== 0x1f && (input[0] ?? 0) < 0x80)
      const expected = await outcomesOf(imap(here, read([input]), { ...options, workers: 0 }))
      expect(await outcomesOf(imap(here, read(cut(input, cuts)), { ...options, workers: 0 }))).toEqual(expected)
      expect(await outcomesOf(pool.imap(there as never, read(cut(input, cuts)), options))).toEqual(expected)
    }),
    { numRuns: times(60, 3000) },
  )
}
