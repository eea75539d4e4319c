/** A checkpoint as a text of JSON. A file has it, or a database. */
import { crc32 } from 'node:zlib'
import { isErrorObject, type CheckpointError } from '../errors.js'
import type { Json } from './mark.js'

const VERSION = 1
const BEGIN_AGAIN = 'remove it to begin again'

/** What a checkpoint says. What a value means is known where it is made. */
export interface CheckpointContent {
  /** Complete: all is written, and its files get their names. */
  readonly state: 'running' | 'complete'
  /** The name of the run. One that goes on keeps it. */
  readonly run: string
  /** The version of the library that has written it. */
  readonly millrace: string
  /** What must be the same in a run that goes on. */
  readonly plan: Json
  /** The code of its tasks: the hash of each, by its name. */
  readonly code: Json
  /** What the parts of the pipeline have noted, from the source on. */
  readonly points: readonly Json[]
  readonly outputs: Json
  /** The files of failed items. */
  readonly rejects: Json
  readonly counts: Json
}

export interface Checkpoint extends CheckpointContent {
  readonly version: number
  /** Null: there are no such texts. */
  readonly rests: RestsFile | null
}

/** The file of the texts behind the last members. */
export interface RestsFile {
  /** Which of its two names it has. */
  readonly name: 0 | 1
  readonly bytes: number
  readonly crc32: number
}

const FIELDS = ['run', 'millrace', 'plan', 'code', 'points', 'outputs', 'rejects', 'counts', 'rests'] as const

/** Makes the error of a text that cannot be used. @param reason Why. @param cure What to do. */
export type Refuse = (
  code: CheckpointError['code'],
  reason: string,
  cure: string,
  options?: ErrorOptions,
) => CheckpointError

/** On one line, with a number by which a change is found. */
export function checkpointText(content: CheckpointContent, rests: RestsFile | null = null): string {
  const text = JSON.stringify({ version: VERSION, ...content, rests })
  return `${text.slice(0, -1)},"check":"${checkOf(text)}"}`
}

/** @throws CheckpointError `ERR_CHECKPOINT_DAMAGED`, `ERR_CHECKPOINT_VERSION`, as `refuse` makes them. */
export function parseCheckpoint(text: string, refuse: Refuse): Checkpoint {
  const fields = fieldsOf(text, refuse)
  const { version } = fields
  if (typeof version === 'number' && version > VERSION) {
    const cure = `go on with that version, or ${BEGIN_AGAIN}`
    const by = typeof fields.millrace === 'string' ? ` (${fields.millrace})` : ''
    throw refuse('ERR_CHECKPOINT_VERSION', `it is of a newer version of millrace${by}`, cure)
  }
  const { check, ...content } = fields
  const isWhole = FIELDS.every((name) => content[name] !== undefined) && Array.isArray(content.points)
  const isKnown = version === VERSION && (content.state === 'running' || content.state === 'complete')
  if (!isWhole || !isKnown || check !== checkOf(JSON.stringify(content))) {
    throw damaged('it is not as it was written', refuse)
  }
  return content as unknown as Checkpoint
}

export function damaged(reason: string, refuse: Refuse, options?: ErrorOptions): CheckpointError {
  return refuse('ERR_CHECKPOINT_DAMAGED', reason, BEGIN_AGAIN, options)
}

function fieldsOf(text: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch (cause) {
    throw damaged('it is not JSON', refuse, isErrorObject(cause) ? { cause } : undefined)
  }
}

function checkOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
