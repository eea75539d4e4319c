/** What millrace does not have yet. The one place that knows; to be removed, with its imports, when it has. */
import * as millrace from 'millrace'
import { NotMeasured } from '../harness/case.js'

type Reduce<A, I> = (
  fold: (accumulated: A, item: I) => A,
  source: AsyncIterable<I>,
  options: { readonly initial: A; readonly merge: (a: A, b: A) => A },
) => Promise<A>

export function reduceOf<A, I>(): Reduce<A, I> {
  const { reduce } = millrace as { reduce?: Reduce<A, I> }
  if (reduce === undefined) throw new NotMeasured('millrace has no reduce() yet')
  return reduce
}

export function chunksOf<R>(stream: AsyncIterable<R>): AsyncIterable<R[]> {
  const { chunks } = stream as { chunks?: () => AsyncIterable<R[]> }
  if (chunks === undefined) throw new NotMeasured('a stream of millrace has no chunks() yet')
  return chunks.call(stream)
}
