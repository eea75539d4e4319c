/** How a source of lines or records goes on where an earlier run was. It says where, and which files have been read. */
import { stat } from 'node:fs/promises'
import { CheckpointError, received } from '../errors.js'
import { codeOfTasks, type NamedTask } from '../resume/code.js'
import { asIdentity, type FileIdentity } from '../resume/identity.js'
import type { Json, Mark, MarkRequest, ResumePoint } from '../resume/mark.js'
import { notResumable } from '../resume/not-resumable.js'
import { inputName, isByteList, type ByteInput } from './bytes.js'
import { MarkedBatches, type PlacedReader } from './marked-batches.js'
import { NO_FILE_CURE } from './path.js'
import type { BatchReader } from './source.js'
import { asInputsPlace, type InputsPlace } from './text-place.js'
import { isServerUrl } from './urls.js'

/** What reads the inputs. */
export interface InputsReader extends PlacedReader<InputsPlace> {
  /** To be called before the first read: marks may be asked for. @returns What is to be told to the user. */
  goOn(place: InputsPlace, known: readonly FileIdentity[]): Promise<readonly string[]>
  identities(place: InputsPlace): Promise<readonly FileIdentity[]>
}

export class InputsPoint implements ResumePoint {
  readonly source: undefined
  readonly plan: Json
  /** The function that was called, for error texts. */
  readonly #name: string
  readonly #inputs: readonly ByteInput[]
  readonly #reader: InputsReader
  readonly #tasks: readonly NamedTask[]
  #request: MarkRequest | undefined
  #batches: MarkedBatches<InputsPlace> | undefined
  /** The files that had been read where a note was made. */
  readonly #identities = new WeakMap<object, Promise<readonly FileIdentity[]>>()

  /** @param tasks That make the items. */
  constructor(
    name: string,
    inputs: readonly ByteInput[],
    options: Readonly<Record<string, Json>>,
    reader: InputsReader,
    tasks: readonly NamedTask[] = [],
  ) {
    this.#name = name
    this.#inputs = inputs
    this.#reader = reader
    this.#tasks = tasks
    this.plan = { kind: name, source: inputs.map(inputName), ...options }
  }

  code(): Promise<Readonly<Record<string, string>>> {
    return codeOfTasks(this.#tasks)
  }

  async begin(request: MarkRequest, note: Json | undefined): Promise<void> {
    this.#request = request
    await this.#assertFiles()
    const { place, known } = note === undefined ? START : noteOf(note)
    for (const remark of await this.#reader.goOn(place, known)) request.remark(remark)
  }

  async seal(note: Json): Promise<Json> {
    const identities = (await this.#identities.get(Object(note) as object)) ?? []
    return { ...(note as InputsPlace), files: [...identities] }
  }

  /** The batches of the reader, with marks between them once it has begun. */
  open(): BatchReader {
    const request = this.#request
    if (request === undefined) return this.#reader
    this.#batches = new MarkedBatches(this.#reader, request, (mark, place) => {
      this.#note(mark, place)
    })
    return this.#batches
  }

  noteEnd(mark: Mark): void {
    this.#batches?.noteEnd(mark)
  }

  #note(mark: Mark, place: InputsPlace): void {
    const identities = this.#reader.identities(place)
    // An error is told when it is stored.
    identities.catch(() => {})
    this.#identities.set(place, identities)
    mark.notes.set(this, place)
  }

  /** Sources that do not exist, and later ones that are no files, are told of when they are reached. */
  async #assertFiles(): Promise<void> {
    for (const input of this.#inputs) {
      if (isByteList(input)) continue
      if (input.path === undefined)
        throw notResumable(`${this.#name}() of bytes that are no file`, `${NO_FILE_CURE}, or use resumable()`)
      if (isServerUrl(input.path))
        throw notResumable(`${this.#name}() of '${input.path}', which is not a file`, NO_FILE_CURE)
      const stats = await stat(input.path).catch(() => undefined)
      if (stats !== undefined && !stats.isFile() && !stats.isDirectory())
        throw notResumable(`${this.#name}() of '${input.path}', which is not a regular file`, NO_FILE_CURE)
    }
  }
}

interface Known {
  readonly place: InputsPlace
  readonly known: readonly FileIdentity[]
}

const START: Known = { place: { input: 0 }, known: [] }

function noteOf(note: Json): Known {
  const place = asInputsPlace(note)
  const { files } = Object(note) as { files?: Json }
  const known = Array.isArray(files) ? (files as readonly Json[]).map(asIdentity) : []
  const count = place === undefined ? -1 : place.input + (place.at === undefined ? 0 : 1)
  const all = known.filter((file) => file !== undefined)
  if (place !== undefined && all.length === known.length && all.length === count) return { place, known: all }
  throw new CheckpointError(
    `Cannot go on from the checkpoint as it must say where the inputs were: received ${received(note)}`,
    'ERR_CHECKPOINT_DAMAGED',
  )
}
