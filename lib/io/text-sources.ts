/**
 * Several sources of text, one after the other. Each is opened when it is reached. But compressed files are inflated
 * side by side: when a source is reached, those of the next ones are opened, too.
 */
import { availableParallelism } from 'node:os'
import type { CheckpointError } from '../errors.js'
import { changedInput, checkIdentity, WatchedFile, type FileIdentity } from '../resume/identity.js'
import { isByteList, type ByteInput, type ByteList, type Bytes } from './bytes.js'
import { closeWithTimeout } from './close-with-timeout.js'
import { InputMeter, type ByteCount } from './input-meter.js'
import type { TextOptions } from './text.js'
import type { InputsPlace, TextPlace } from './text-place.js'
import { TextSource } from './text-source.js'

/** Files are inflated in the pool of libuv, which has this many threads by default. */
const MAX_FILES_AT_ONCE = 4

/** How many compressed files are inflated at once: the one that was reached, and the next ones. */
function filesAtOnce(): number {
  return Math.min(availableParallelism(), MAX_FILES_AT_ONCE)
}

export class TextSources {
  /** Counts their bytes. */
  readonly meter: InputMeter = new InputMeter()
  /** Those not yet looked at. */
  #inputs: Iterator<ByteInput>
  /** A list that has been reached: its sources are the next ones. */
  #list: ByteList | undefined
  #listed: Iterator<Bytes> = [].values()
  readonly #options: TextOptions
  readonly #filesAtOnce: number
  /** The next ones. Those of them that are compressed files are open. */
  readonly #ahead: TextSource[] = []
  /** How many have been given. */
  #given = 0
  /** What is known of those that have been given, if a later run may go on from here. */
  #known: (FileIdentity | TextSource)[] | undefined
  /** Where this run goes on in a file, and what was known of the files up to there. */
  #earlier: { readonly at: TextPlace; readonly known: readonly FileIdentity[] } | undefined

  /** @param atOnce How many compressed files are inflated at once. Default: as many as there are cores, at most four. */
  constructor(inputs: readonly ByteInput[], options: TextOptions, atOnce?: number) {
    this.#inputs = inputs.map((input) => counted(input, this.meter)).values()
    this.#options = options
    // One source needs no other open. To count the cores takes milliseconds the first time.
    const isOne = inputs.length === 1 && !inputs.some(isByteList)
    this.#filesAtOnce = atOnce ?? (isOne ? 1 : filesAtOnce())
  }

  /** How many sources have been given. */
  get given(): number {
    return this.#given
  }

  /** Where the reading of the next source goes on; undefined if that is at its start. */
  get nextFrom(): TextPlace | undefined {
    return this.#ahead[0]?.from
  }

  /**
   * To be called before all others, if a later run may go on from here.
   *
   * @param place Where an earlier run was.
   * @param known The files that it has read, up to that place.
   * @returns What is to be told to the user.
   * @throws CheckpointError `ERR_CHECKPOINT_INPUT`, if they are not as they were.
   */
  async goOn({ input, at }: InputsPlace, known: readonly FileIdentity[]): Promise<string[]> {
    const remarks = await checkAll(known)
    this.#known = known.slice(0, input)
    this.#earlier = at && { at, known }
    for (const [number, file] of known.entries()) {
      const bytes = await this.#nextListed()
      if (bytes?.path !== file.path) throw otherInput(known, file, bytes?.path)
      const isDone = number < input
      this.meter.pass(file.reached, isDone)
      if (isDone) this.#given++
      else this.#ahead.push(this.#open(bytes, at))
    }
    return remarks
  }

  /**
   * What is known of the files up to a place, the last that `next()` has given at the most. Its reading begins at once:
   * they may be closed afterwards.
   */
  async identities({ input, at }: InputsPlace): Promise<FileIdentity[]> {
    // The file may not have been opened yet.
    if (at !== undefined && at === this.#earlier?.at) return [...this.#earlier.known]
    const last = at === undefined ? input : input + 1
    const known = this.#known?.slice(0, last) ?? []
    const all = await Promise.all(known.map(async (one) => (one instanceof TextSource ? one.identity(at) : one)))
    return all.filter((one) => one !== undefined)
  }

  /**
   * Finds out what the next source is. A promise if a list must be read for that: then `next()` is to be called when it
   * has settled. A list is read at its turn, so its error comes after all sources before it.
   */
  find(): Promise<void> | undefined {
    this.#look()
    return this.#ahead.length === 0 && this.#list !== undefined ? this.#readLists() : undefined
  }

  /** The next source, which is the caller's to open and to close; undefined if there is none. */
  next(): TextSource | undefined {
    this.#look()
    const source = this.#ahead.shift()
    if (source === undefined) this.meter.end('done')
    else {
      this.meter.reach()
      this.#given++
      this.#known?.push(source)
    }
    return source
  }

  /** Gives no more sources, and closes those that were opened ahead. May be called at any time and again. */
  async close(): Promise<void> {
    this.#inputs = this.#listed = [].values()
    this.#list = undefined
    this.meter.end('left')
    await Promise.all(this.#ahead.splice(0).map((source) => closeWithTimeout(source)))
  }

  /** Looks at the next sources, up to a list. */
  #look(): void {
    while (this.#ahead.length < this.#filesAtOnce) {
      const bytes = this.#nextBytes()
      if (bytes === undefined) return
      const source = this.#open(bytes)
      if (this.#ahead.length > 0) source.openAhead()
      this.#ahead.push(source)
    }
  }

  #open(bytes: Bytes, from?: TextPlace): TextSource {
    const { path } = bytes
    const isKnown = this.#known !== undefined && path !== undefined
    return new TextSource(bytes, this.#options, isKnown ? { watch: new WatchedFile(path), from } : undefined)
  }

  /** The next one, also of lists; undefined if there is none. */
  async #nextListed(): Promise<Bytes | undefined> {
    for (;;) {
      const bytes = this.#nextBytes()
      if (bytes !== undefined || this.#list === undefined) return bytes
      const sources = await this.#list.list()
      this.#list = undefined
      this.#listed = sources.values()
    }
  }

  /** Undefined at a list, and at the end. */
  #nextBytes(): Bytes | undefined {
    const listed = this.#listed.next()
    if (!listed.done) return listed.value
    if (this.#list !== undefined) return undefined
    const input = this.#inputs.next()
    if (input.done) return undefined
    if (!isByteList(input.value)) return input.value
    this.#list = input.value
    return undefined
  }

  /** Reads lists until one has a source, or none is left. */
  async #readLists(): Promise<void> {
    while (this.#ahead.length === 0 && this.#list !== undefined) {
      const list = this.#list
      const sources = await list.list()
      // It may have been closed meanwhile.
      if (this.#list !== list) return
      this.#list = undefined
      this.#listed = sources.values()
      this.#look()
    }
  }
}

/** How many files are looked at at once. */
const CHECKS_AT_ONCE = 8

/** @returns What is to be told to the user. */
async function checkAll(files: readonly FileIdentity[]): Promise<string[]> {
  const remarks: string[] = []
  for (let at = 0; at < files.length; at += CHECKS_AT_ONCE) {
    const found = await Promise.all(files.slice(at, at + CHECKS_AT_ONCE).map(checkIdentity))
    remarks.push(...found.filter((remark) => remark !== undefined))
  }
  return remarks
}

/** At the place of a file that an earlier run has read, there is another one now, or none. */
function otherInput(known: readonly FileIdentity[], file: FileIdentity, given: string | undefined): CheckpointError {
  const isNew = given !== undefined && known.every(({ path }) => path !== given)
  if (!isNew) return changedInput(file.path, 'be one of the inputs, as an earlier run has read it', 'inputs without it')
  return changedInput(given, `not come before '${file.path}', which an earlier run has read`, 'a new file there', {
    cure: 'give it a name behind that, or another run',
  })
}

function counted(input: ByteInput, meter: InputMeter): ByteInput {
  if (!isByteList(input)) return countedBytes(input, meter.add(input.path))
  const place = meter.expectList(input.globs)
  const list = async (): Promise<readonly Bytes[]> => {
    const sources = await input.list()
    const counts = meter.putList(
      place,
      sources.map(({ path }) => path),
    )
    return sources.map((bytes, i) => countedBytes(bytes, counts[i]))
  }
  return { ...input, list }
}

function countedBytes(bytes: Bytes, count: ByteCount | undefined): Bytes {
  const open: Bytes['open'] = (_count, access) => {
    // It is opened again if opening it ahead has failed.
    if (count !== undefined) Object.assign(count, { read: count.earlier, hasEnded: false })
    return bytes.open(count, access)
  }
  return { path: bytes.path, open }
}
