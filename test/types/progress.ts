/** The types of progress and figures that the compiler infers and refuses. This file is compiled, and not run. */
import { imap, lines, progress, type ProgressOptions, type StreamStats } from 'millrace'
import type { Equal, Expect } from './equal.js'
import { parse } from './hits.js'

const source = lines('access.log')
const hits = imap(parse, source)

export const shown = progress(hits, { offTerminal: 'plain', output: process.stdout, report: 'run.html' })
export type Shown = Expect<Equal<typeof shown, Disposable>>
progress(hits.take(3))
progress(source)
export const none: ProgressOptions = { offTerminal: undefined, output: undefined, report: undefined }

export type Bytes = Expect<Equal<(typeof source)['bytes']['total'], number | undefined>>
export type Limit = Expect<Equal<StreamStats['limit'], 'source' | 'workers' | 'consumer' | undefined>>
export type Busy = Expect<Equal<StreamStats['busy'], number>>

// @ts-expect-error -- there is no such form
progress(hits, { offTerminal: 'text' })
// @ts-expect-error -- a path is no stream
progress('access.log')
// @ts-expect-error -- it is read only
source.bytes.read = 3
