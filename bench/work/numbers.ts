/** Numbers, one by one. */
export function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n
}
