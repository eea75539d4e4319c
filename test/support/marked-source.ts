/** A source of values that gives marks, and a reader of what comes before one. For tests of parts that pass marks on. */
import { Items } from '#dist/codec/batch.js'
import { openBatches, offerBatches } from '#dist/io/source.js'
import { Mark, MarkRequest, offerResume, resumePointOf, type Json, type ResumePoint } from '#dist/resume/mark.js'

/** The values as a source that notes how many it has given. @param batch How many it gives at once, at most. */
export function markedSource<T>(values: readonly T[], batch: number): AsyncIterable<T> {
  const source = {
    [Symbol.asyncIterator]: (): never => {
      throw new Error('It is read in batches alone')
    },
  }
  let at = 0
  let request: MarkRequest | undefined
  const point: ResumePoint = {
    source: undefined,
    plan: { values: values.length },
    begin: (given, note) => {
      request = given
      if (note !== undefined) at = note as number
    },
    noteEnd: (mark) => {
      mark.notes.set(point, at)
    },
  }
  offerResume(source, point)
  offerBatches(source, () => ({
    next: (max) => {
      const mark = request?.take()
      if (mark !== undefined) {
        mark.notes.set(point, at)
        return mark
      }
      if (at >= values.length) return undefined
      const items = values.slice(at, at + Math.min(max, batch))
      at += items.length
      return new Items(items)
    },
    close: () => undefined,
  }))
  return source
}

/** The parts of a pipeline, the source first. */
export function pointsOf(end: object): ResumePoint[] {
  const points: ResumePoint[] = []
  for (let part: object | undefined = end; part !== undefined;) {
    const point = resumePointOf(part)
    if (point === undefined) throw new Error('A part of the pipeline cannot go on')
    points.unshift(point)
    part = point.source
  }
  return points
}

/** What was read, and what the parts have noted on the mark that ended the reading; undefined at the end. */
export interface ReadPart {
  readonly values: unknown[]
  readonly notes: Json[] | undefined
}

/**
 * Reads a pipeline from its start, or from notes, up to a mark.
 *
 * @param askAfter After how many values a mark is asked for. Undefined: for none.
 */
export async function readPart(end: object, notes: readonly Json[] | undefined, askAfter?: number): Promise<ReadPart> {
  const request = new MarkRequest()
  const points = pointsOf(end)
  for (const [at, point] of points.entries()) await point.begin(request, notes?.[at])
  const reader = openBatches(end)
  if (reader === undefined) throw new Error('The pipeline gives no batches')
  const values: unknown[] = []
  // Only one mark may be on its way.
  let isAsked = askAfter === 0
  if (isAsked) request.ask()
  for (let batch = await reader.next(Infinity); batch !== undefined; batch = await reader.next(Infinity)) {
    if (batch instanceof Mark) {
      const { notes: given } = batch
      await reader.close()
      // As they are stored.
      return { values, notes: JSON.parse(JSON.stringify(points.map((point) => given.get(point) ?? null))) as Json[] }
    }
    values.push(...batch.values())
    batch.release()
    if (isAsked || askAfter === undefined || values.length < askAfter) continue
    isAsked = true
    request.ask()
  }
  return { values, notes: undefined }
}

/**
 * A marked source that throws when it has given some values. It gives other work a turn between its batches.
 *
 * @param stop After how many values it throws. Undefined: never.
 * @param onRead Called with the number of values that it has given, before it gives a batch or a mark. It goes on when
 * that settles.
 */
export function failingSource<T>(
  values: readonly T[],
  batch: number,
  stop?: number,
  onRead?: (at: number, request: MarkRequest | undefined) => unknown,
): AsyncIterable<T> {
  const source = {
    [Symbol.asyncIterator]: (): never => {
      throw new Error('It is read in batches alone')
    },
  }
  const inner = markedSource(values, batch)
  const point = resumePointOf(inner)
  let at = 0
  let asked: MarkRequest | undefined
  if (point === undefined) throw new Error('It is marked')
  offerResume(source, {
    ...point,
    source: undefined,
    begin: (request, note) => {
      asked = request
      if (note !== undefined) at = note as number
      return point.begin(request, note)
    },
    noteEnd: (mark) => {
      const own = resumePointOf(source)
      if (own !== undefined) mark.notes.set(own, at)
    },
  })
  offerBatches(source, () => {
    const reader = openBatches(inner)
    return (
      reader && {
        next: async (max) => {
          await new Promise((resolve) => setImmediate(resolve))
          if (stop !== undefined && at >= stop) throw new Error('stopped')
          await onRead?.(at, asked)
          const given = await reader.next(max)
          at += given?.length ?? 0
          if (given instanceof Mark) {
            const [[, note] = []] = given.notes
            given.notes.clear()
            const own = resumePointOf(source)
            if (own !== undefined) given.notes.set(own, note ?? null)
          }
          return given
        },
        close: () => reader.close(),
      }
    )
  })
  return source
}
