/** Reads a source as a sink with a checkpoint does: in batches, with marks between them. */
import type { Batch } from '#dist/codec/batch.js'
import { BadRecord } from '#dist/codec/records/record-data.js'
import { openBatches, type BatchReader } from '#dist/io/source.js'
import { Mark, MarkRequest, resumePointOf, type Json, type ResumePoint } from '#dist/resume/mark.js'

/** A value or the error of a bad record, and where it is. */
export interface Item {
  readonly value: unknown
  readonly place: unknown
}

export interface StoredMark {
  /** How many items came before it. */
  readonly at: number
  /** As it comes back from a checkpoint. */
  readonly note: Json
}

export interface Reading {
  readonly items: readonly Item[]
  readonly marks: readonly StoredMark[]
  /** The error that ended the source. */
  readonly error: string | undefined
  readonly remarks: readonly string[]
}

export interface Opened {
  readonly point: ResumePoint
  readonly request: MarkRequest
  readonly batches: BatchReader
}

/** Begins a source, at its start or where a mark was. */
export async function begin(source: object, note?: Json): Promise<Opened> {
  const point = resumePointOf(source)
  if (point === undefined) throw new Error('The source has no point from which it goes on')
  const request = new MarkRequest()
  await point.begin(request, note)
  const batches = openBatches(source)
  if (batches === undefined) throw new Error('The source gives no batches')
  return { point, request, batches }
}

/** What a checkpoint gives back of a note. */
export async function stored(point: ResumePoint, mark: Mark): Promise<Json> {
  const note = mark.notes.get(point)
  if (note === undefined) throw new Error('The source has noted nothing')
  return JSON.parse(JSON.stringify((await point.seal?.(note)) ?? note)) as Json
}

interface ReadOptions {
  note?: Json | undefined
  max?: number
  asks?: (batch: number) => boolean
  /** If it has been opened. */
  begun?: Opened
}

/**
 * Reads all batches. Asks for a mark before each batch of which `asks` says so; it gets the number of the batch.
 *
 * @param max How many items a batch may have.
 */
export async function readMarked(
  source: object,
  { note, max = 1_000, asks, begun }: Readonly<ReadOptions> = {},
): Promise<Reading> {
  const { point, request, batches } = begun ?? (await begin(source, note))
  const items: Item[] = []
  const marks: StoredMark[] = []
  let error: string | undefined
  try {
    let number = 0
    for (let isAsked = false; ;) {
      if (!isAsked && asks?.(number) === true) request.ask()
      const batch: Batch | undefined = await batches.next(max)
      if (batch === undefined) break
      if (batch instanceof Mark) {
        marks.push({ at: items.length, note: await stored(point, batch) })
        isAsked = true
        continue
      }
      number++
      isAsked = false
      for (const [index, value] of batch.values().entries()) {
        const known = value instanceof BadRecord ? String(value.error) : value
        items.push({ value: known, place: batch.placeOf?.(index) })
      }
      batch.release()
    }
  } catch (thrown) {
    error = String(thrown)
  }
  await batches.close()
  return { items, marks, error, remarks: request.remarks }
}
