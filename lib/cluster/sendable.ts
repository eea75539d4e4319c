/** Values as the body of a message. Those that cannot be sent fail alone. Outcomes as pieces that fit into one. */
import { notSerializable } from '../codec/clonable.js'
import { pack } from '../codec/codec.js'
import { Items, type Batch } from '../codec/batch.js'
import { BadRecord } from '../codec/records/record-data.js'
import { NotSerializableError } from '../errors.js'
import type { Part } from '../executor/executor.js'
import { BODY_ROOM, plainBody, type Body } from '../wire/body.js'
import { ByteWriter, TooLargeError as MessageTooLarge } from '../wire/byte-writer.js'
import { encodeData, encodeValues } from '../wire/data.js'
import { ValueWriter } from '../wire/value-writer.js'
import { TooLargeError } from './errors.js'

type Kind = 'item' | 'result'

/** Outcomes of some items of a chunk, in the form of a part. */
export type Outcomes = Omit<Part, 'chunk' | 'last'>

export interface Sendable {
  readonly body: Body
  /** The errors of values that are not in it, by their position: `undefined` stands in their places. */
  readonly failed: ReadonlyMap<number, unknown>
}

/**
 * @param indexOf The index of the item that a value is, or is the result of.
 * @param skipped Values that are left out, because they have failed before.
 * @returns Undefined: they are too large together.
 */
export function encodeBatch(
  kind: Kind,
  batch: Batch,
  indexOf: (position: number) => number,
  skipped: ReadonlyMap<number, unknown> = new Map(),
): Sendable | undefined {
  if (skipped.size === 0) {
    try {
      const { data, bytes } = batch.pack()
      return { body: plainBody(encodeData(data, bytes, BODY_ROOM), BODY_ROOM), failed: skipped }
    } catch (error) {
      // Otherwise one of the values cannot be sent: the others are, below.
      if (error instanceof MessageTooLarge && batch.length > 1) return undefined
    }
  }
  const failed = new Map(skipped)
  const values = batch.values().map((value, position) => {
    if (failed.has(position)) return undefined
    const refusal = refusalOf(kind, value, indexOf(position))
    if (refusal === undefined) return value
    failed.set(position, refusal)
    return undefined
  })
  try {
    return { body: plainBody(encodeValues(values, BODY_ROOM), BODY_ROOM), failed }
  } catch (cause) {
    if (cause instanceof MessageTooLarge && values.length > 1) return undefined
    // A getter gave something else when it was asked again.
    for (const [position, value] of values.entries()) {
      if (!failed.has(position)) failed.set(position, notSerializable(kind, indexOf(position), value, cause))
    }
    return { body: plainBody(encodeValues(values.map(() => undefined))), failed }
  }
}

/** Why a value cannot be sent, if it cannot. */
function refusalOf(kind: Kind, value: unknown, index: number): unknown {
  if (value instanceof BadRecord) return value.error
  try {
    pack([value])
  } catch (cause) {
    return notSerializable(kind, index, value, cause)
  }
  try {
    new ValueWriter(new ByteWriter()).write(value, kind)
    return undefined
  } catch (cause) {
    if (cause instanceof MessageTooLarge) return tooLarge(kind, index, cause.message)
    const { message } = cause as NotSerializableError
    return new NotSerializableError(message.replace('a value', named(kind, index)), { cause })
  }
}

export function tooLarge(kind: Kind, index: number, limit: string): TooLargeError {
  return new TooLargeError(
    `Cannot send ${named(kind, index)} to another machine as ${limit}: send a reference, such as a path or a URL`,
  )
}

function named(kind: Kind, index: number): string {
  return kind === 'item' ? `item ${index}` : `the result of item ${index}`
}

/** Outcomes that are errors: of items that follow each other. */
export function failures(from: number, errors: readonly unknown[], worker = 0): Outcomes {
  return {
    from,
    count: errors.length,
    results: new Items(errors.map(() => undefined)),
    errors: new Map(errors.entries()),
    worker,
  }
}

/** Some of the outcomes, by their offsets from `start` up to `end`. Not of a fold, whose items have one result together. */
export function cut(outcomes: Outcomes, start: number, end: number): Outcomes {
  const { from, chunkOffsets, counts, errors, results } = outcomes
  const before = counts === undefined ? start : sumOf(counts.subarray(0, start))
  const own = counts?.slice(start, end)
  const count = own === undefined ? end - start : sumOf(own)
  const failed = [...(errors ?? [])].filter(([offset]) => offset >= start && offset < end)
  return {
    ...outcomes,
    from: from + start,
    chunkOffsets: chunkOffsets?.slice(start, end),
    count: end - start,
    results: results.slice(before, before + count),
    counts: own,
    errors: failed.length === 0 ? undefined : new Map(failed.map(([offset, error]) => [offset - start, error])),
  }
}

/** Outcomes of a chunk as one: their places need not follow each other. Not of a fold. */
export function joined(all: readonly Outcomes[]): Outcomes {
  const [first, ...others] = all
  const last = all.at(-1)
  if (first === undefined || last === undefined || others.length === 0) return first ?? failures(0, [])
  const places = all.flatMap(placesOf)
  const areInRow = places.every((place, offset) => place === first.from + offset)
  const errors = new Map<number, unknown>()
  let before = 0
  for (const outcomes of all) {
    for (const [offset, error] of outcomes.errors ?? []) errors.set(before + offset, error)
    before += outcomes.count
  }
  const haveCounts = all.some(({ counts }) => counts !== undefined)
  const countsOf = ({ counts, count }: Outcomes): number[] => (counts ? [...counts] : new Array<number>(count).fill(1))
  return {
    ...last,
    from: first.from,
    chunkOffsets: areInRow ? undefined : places,
    count: before,
    results: new Items(all.flatMap(({ results }) => results.values())),
    counts: haveCounts ? Uint32Array.from(all.flatMap(countsOf)) : undefined,
    errors: errors.size === 0 ? undefined : errors,
  }
}

/** Where in the chunk outcomes belong. */
export function placesOf({ from, count, chunkOffsets }: Outcomes): readonly number[] {
  return chunkOffsets ?? Array.from({ length: count }, (_, offset) => from + offset)
}

export function sumOf(counts: Uint32Array): number {
  let sum = 0
  for (const count of counts) sum += count
  return sum
}

/** The item that a value is a result of, by its offset. */
export function ownerOf(counts: Uint32Array | undefined, value: number): number {
  if (counts === undefined) return value
  let end = 0
  return counts.findIndex((count) => (end += count) > value)
}

/** Items with values that cannot be sent fail. */
export function withoutValues(outcomes: Outcomes, refused: ReadonlyMap<number, unknown>): Outcomes {
  const { counts, results } = outcomes
  const errors = new Map(outcomes.errors)
  for (const [value, error] of refused) errors.set(ownerOf(counts, value), error)
  const values = results.values()
  const isKept = (value: number): boolean => !errors.has(ownerOf(counts, value))
  return {
    ...outcomes,
    // Where each item has one result, a failed one has a placeholder.
    results: new Items(
      counts === undefined
        ? values.map((value, at) => (isKept(at) ? value : undefined))
        : values.filter((_, at) => isKept(at)),
    ),
    counts: counts?.map((count, offset) => (errors.has(offset) ? 0 : count)),
    errors,
  }
}
