/**
 * The types that the compiler infers and refuses for `transfer()` and the option `transfer`. This file is compiled, and
 * not run.
 */
import { apply, filter, imap, map, pipe, reduce, starmap, task, transfer } from 'millrace'
import { Process } from 'millrace/multiprocessing'
import type { ReduceOptions, Stage, Stream, StreamOptions } from 'millrace'
import type { Equal, Expect } from './equal.js'

interface Image {
  readonly name: string
  readonly pixels: Uint8Array<ArrayBuffer>
}
declare const images: Image[]

// The task keeps its type, with every list of buffers.
export const blur = task(import.meta.url, 'blur', (image: Image) => transfer(image, [image.pixels.buffer]))
export const blurred = imap(blur, images)
export type Blurred = Expect<Equal<typeof blurred, Stream<Image>>>
export const later = task(import.meta.url, 'later', async (image: Promise<Image>) => transfer(await image, []))
export type Later = Expect<Equal<ReturnType<typeof later>, Promise<Image>>>
// For the compiler, the buffer of a view has one of two types. Shared memory is refused at run time.
export const any = (view: Uint8Array): Uint8Array => transfer(view, [view.buffer])

// @ts-expect-error -- a number holds no buffers
transfer(5, [])
// @ts-expect-error -- a view is no buffer
transfer(images, [new Float64Array(1)])
// @ts-expect-error -- there must be a list
transfer(images)

// The option gets the item with its type, in both forms.
export const direct = imap(blur, images, { transfer: ({ pixels }) => [pixels.buffer] })
export type Direct = Expect<Equal<typeof direct, Stream<Image>>>
export const stage = imap(blur, { transfer: ({ pixels }) => [pixels.buffer] })
export type Staged = Expect<Equal<typeof stage, Stage<Image, Image>>>
export const piped = pipe(images, imap(blur, { transfer: ({ pixels }) => [pixels.buffer] }))
export type Piped = Expect<Equal<typeof piped, Stream<Image>>>
export const mapped = map(blur, images, { transfer: ({ pixels }) => [pixels.buffer], errors: 'skip' })
export type Mapped = Expect<Equal<typeof mapped, Promise<Image[]>>>
export const inline = imap((image) => image.name, images, { workers: 0, transfer: ({ pixels }) => [pixels.buffer] })
export type Inline = Expect<Equal<typeof inline, Stream<string>>>

export const isLarge = task(import.meta.url, 'isLarge', ({ pixels }: Image) => pixels.length > 100)
export const large = filter(isLarge, images, { transfer: ({ pixels }) => [pixels.buffer] })
export type Large = Expect<Equal<typeof large, Stream<Image>>>

export const total = task(import.meta.url, 'total', (sum: number, { pixels }: Image) => sum + pixels.length)
export const merge = (into: number, partial: number): number => into + partial
export const totalled = reduce(total, images, { initial: 0, merge, transfer: ({ pixels }) => [pixels.buffer] })
export type Totalled = Expect<Equal<typeof totalled, Promise<number>>>

export const scale = task(import.meta.url, 'scale', (image: Image, factor: number) => image.pixels.length * factor)
export const scaled = starmap(scale, [[images[0], 2] as const], {
  transfer: ([image, factor]) => (factor > 1 ? [image.pixels.buffer] : []),
})
export type Scaled = Expect<Equal<typeof scaled, Promise<number[]>>>
export const called = apply(scale, [images[0], 2], { transfer: [images[0].pixels.buffer] })
export type Called = Expect<Equal<typeof called, Promise<number>>>
export const process = new Process({ target: blur, args: [images[0]], transfer: [new ArrayBuffer(1)] })

// @ts-expect-error -- it must give a list of buffers
imap(blur, images, { transfer: ({ pixels }) => pixels })
// @ts-expect-error -- a call has a list, not a function
void apply(scale, [images[0], 2], { transfer: () => [] })

// Options that were made elsewhere fit any items.
declare const options: StreamOptions
declare const ofNumbers: ReduceOptions<number>
declare const shared: StreamOptions & { readonly workers: 0 }
export const given = imap(blur, images, options)
export const givenShared = imap((image) => image.name, images, shared)
export const folded = reduce(total, images, ofNumbers)
export type Folded = Expect<Equal<typeof folded, Promise<number>>>
