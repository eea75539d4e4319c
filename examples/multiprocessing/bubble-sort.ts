/** A process sorts numbers that lie in shared memory: what it puts in order is in order here, too. */
import { isMainThread, task } from 'millrace'
import { Process, SharedArray } from 'millrace/multiprocessing'

const bubbleSort = task(import.meta.url, 'bubbleSort', (numbers: SharedArray<'i'>): void => {
  // The typed array itself: an index of a SharedArray is checked each time.
  const { typed } = numbers
  for (let end = typed.length - 1; end > 0; end--) {
    let swapped = false
    for (let i = 0; i < end; i++) {
      const [one, next] = [typed[i], typed[i + 1]]
      if (one <= next) continue
      typed[i] = next
      typed[i + 1] = one
      swapped = true
    }
    if (!swapped) return
  }
})

if (isMainThread) {
  // 1,000 different numbers, far from any order. No lock: nobody else looks at them before join() returns.
  const values = Array.from({ length: 1000 }, (_, n) => (n * 7919) % 1009)
  const numbers = new SharedArray('i', values, { lock: false })
  console.log('before:', ...numbers.slice(0, 10))
  const process = new Process({ target: bubbleSort, args: [numbers] })
  process.start()
  await process.join()
  console.log('after:', ...numbers.slice(0, 10))
  values.sort((a, b) => a - b)
  console.log('in order:', values.every((value, i) => value === numbers[i]) ? 'yes' : 'no')
  console.log(process.name, 'ended with exit code', process.exitCode)
}
