/** The first program of every guide: a function, a list, a pool of four. */
import { isMainThread, Pool, task } from 'millrace'

const square = task(import.meta.url, 'square', (x: number): number => {
  return x * x
})

if (isMainThread) {
  await using pool = new Pool({ workers: 4 })
  console.log(...(await pool.map(square, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])))
}
