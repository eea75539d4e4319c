/** A function of two arguments: starmap takes them from the items. */
import { isMainThread, Pool, task } from 'millrace'

const multiply = task(import.meta.url, 'multiply', (x: number, y: number): number => {
  return x * y
})

if (isMainThread) {
  await using pool = new Pool({ workers: 2 })
  console.log(
    ...(await pool.starmap(multiply, [
      [2, 3],
      [5, 7],
      [11, 13],
      [17, 19],
    ])),
  )
}
