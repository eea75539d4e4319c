/**
 * Five processes increment one number in shared memory, each under its lock: none of the increments is lost.
 *
 * Most of the time goes into starting threads. One takes longer to start than a process that Python forks, and less than one that
 * it spawns, as it does on macOS and Windows.
 */
import { parseArgs } from 'node:util'
import { isMainThread, task } from 'millrace'
import { Process, Value } from 'millrace/multiprocessing'

const increment = task(import.meta.url, 'increment', async (counter: Value<'i'>): Promise<void> => {
  // Without the lock two threads can read the same number, and one of the two increments is lost.
  await counter.getLock().withLock(() => counter.value++)
})

async function countToFive(): Promise<number> {
  const counter = new Value('i', 0)
  const processes = Array.from({ length: 5 }, () => new Process({ target: increment, args: [counter] }))
  for (const process of processes) process.start()
  await Promise.all(processes.map((process) => process.join()))
  return counter.value
}

if (isMainThread) {
  const { values } = parseArgs({ options: { times: { type: 'string', default: '1' } } })
  const times = Number(values.times)
  if (!(Number.isInteger(times) && times >= 1)) {
    throw new RangeError(`Cannot count as --times must be an integer of at least 1: received ${values.times}`)
  }
  const start = performance.now()
  const answers = new Set<number>()
  for (let run = 0; run < times; run++) answers.add(await countToFive())
  console.log('answers:', ...Array.from(answers).sort((a, b) => a - b))
  console.log(`# ${times} runs in ${((performance.now() - start) / 1000).toFixed(1)} s`)
}
