/** The types that the compiler infers and refuses for `write`. This file is compiled, and not run. */
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { csv, imap, pipe, task, write, type WriteResult } from 'millrace'
import type { Equal, Expect } from './equal.js'

const slim = task(import.meta.url, 'slim', ({ id }: { id: string }) => ({ id }))

export const piped = pipe(csv('a.csv', { columns: ['id'] }), imap(slim), write('a.ndjson', { compress: 'gzip' }))
export type Piped = Expect<Equal<typeof piped, Promise<WriteResult>>>

export const called = write('a.json')([1, 'two', { three: 3 }])
export type Called = Expect<Equal<typeof called, Promise<WriteResult>>>

export const targets = [
  write(new URL('file:///a.csv')),
  write(process.stdout),
  write(new WritableStream<Uint8Array>()),
  write(new CompressionStream('gzip').writable),
]
createServer((_, response) => void write(response, { format: 'csv' })([[1, 2]]))
void pipeline(Readable.from([1]), write('a.txt'))

write('a', { partition: (row: { day: Date }) => row.day.toISOString().slice(0, 10) })
write('a', { partition: 'day', compress: { type: 'gzip', level: 9 }, columns: ['a', 'b'], overwrite: false })

// @ts-expect-error -- a stream that is read
write(Readable.from([]))
// @ts-expect-error -- no such format
write('a.xml', { format: 'xml' })
// @ts-expect-error -- no such option
write('a.csv', { header: true })
// @ts-expect-error -- a source comes in a second call
write('a.csv', [1, 2])
// @ts-expect-error -- text is no source
void write('a.csv')(1)
