/** Pairs of neighbours, (x, x + 1): half of their product is the sum of all numbers up to x. */
import { isMainThread, Pool, task } from 'millrace'

const triangle = task(import.meta.url, 'triangle', (x: number, y: number): number => {
  return (x * y) / 2
})

function* neighbours(end: number): Generator<[number, number]> {
  for (let x = 0; x < end; x++) yield [x, x + 1]
}

if (isMainThread) {
  await using pool = new Pool()
  // starmap() reads them as the workers need them; istarmap() would give the results so, too.
  console.log(...(await pool.starmap(triangle, neighbours(1000))))
}
