/** A bare worker thread. It takes parts of the input until none is left, and posts what it found. */
import { closeSync, openSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { none } from '../work/totals.js'
import { parsePart, rootPart, spinPart, tallyPart, type FileParts } from './jobs.js'
import type { Done, Order, Result } from './threads.js'

function take(order: Order, each: (part: number) => void): void {
  for (let part; (part = Atomics.add(order.next, 0, 1)) < order.parts;) each(part)
}

/** The memory of the numbers moves to the main thread. */
function post(part: number, numbers: Float64Array<ArrayBuffer>): void {
  parentPort?.postMessage({ part, numbers } satisfies Result, [numbers.buffer])
}

function withFile(input: FileParts, work: (file: number) => void): void {
  const file = openSync(input.path, 'r')
  try {
    work(file)
  } finally {
    closeSync(file)
  }
}

function run(order: Order): Done {
  const { job, input } = order
  const totals = none()
  switch (job) {
    case 'tally':
      withFile(input, (file) => {
        take(order, (part) => {
          tallyPart(file, input, part, totals)
        })
      })
      return { totals }
    case 'parse':
      withFile(input, (file) => {
        take(order, (part) => {
          post(part, parsePart(file, input, part))
        })
      })
      return {}
    case 'root':
      take(order, (part) => {
        post(part, rootPart(input, part))
      })
      return {}
    case 'spin':
      take(order, (part) => {
        post(part, spinPart(input, order.steps, part))
      })
      return {}
  }
}

parentPort?.on('message', (order: Order) => {
  parentPort?.postMessage(run(order))
})
