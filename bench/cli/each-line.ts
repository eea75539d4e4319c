/** A filter as in Node's manual: a line of the standard input, and then the next one. */
import { createInterface } from 'node:readline'
import lineOfHit from './line-of-hit.js'

for await (const line of createInterface({ input: process.stdin })) {
  if (!process.stdout.write(`${lineOfHit(line)}\n`))
    await new Promise((resolve) => process.stdout.once('drain', resolve))
}
