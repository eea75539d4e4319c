/**
 * A whole program in one file: the task, and the pipeline that runs it on all cores.
 * Workers import this file too, to find the task; the guard keeps them from starting the pipeline again.
 */
import { imap, isMainThread, pipe, task } from 'millrace'

const isPrime = task(import.meta.url, 'isPrime', (n: number): boolean => {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return n >= 2
})

function* numbersBelow(end: number): Generator<number> {
  for (let n = 0; n < end; n++) yield n
}

if (isMainThread) {
  let primes = 0
  for await (const prime of pipe(numbersBelow(200_000), imap(isPrime))) if (prime) primes++
  console.log(`${primes} primes below 200000`)
}
