/** A pool that leaves one core to the rest of the machine: how long numbers take to 1 by halving, or tripling and adding 1. */
import { isMainThread, Pool, task } from 'millrace'
import { cpuCount } from 'millrace/multiprocessing'

const steps = task(import.meta.url, 'steps', (n: number): number => {
  let count = 0
  for (; n !== 1; count++) n = n % 2 === 0 ? n / 2 : 3 * n + 1
  return count
})

function* range(start: number, end: number): Generator<number> {
  for (let n = start; n < end; n++) yield n
}

if (isMainThread) {
  // A machine may have one core alone. cpuCount() counts only those that this process may use.
  const workers = Math.max(1, cpuCount() - 1)
  console.log(`# ${workers} of ${cpuCount()} cores`)
  await using pool = new Pool({ workers })
  const found = await pool.map(steps, range(1, 20_001))
  console.log('the first:', ...found.slice(0, 20))
  const longest = Math.max(...found)
  console.log(`the longest: ${longest} steps from ${found.indexOf(longest) + 1}`)
}
