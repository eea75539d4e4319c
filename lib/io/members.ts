/** Where the members of compressed data begin, in the data and in the text: so that a later run can begin at one. */

/** Where a member begins. */
export type Member = Readonly<{ format: 'gzip' | 'zstd'; compressed: number; text: number }>

/** Of the members of less text than this, some are left out: dropping that much text takes a few milliseconds. */
const MIN_DISTANCE = 1024 * 1024

export class MemberLog {
  readonly #format: Member['format']
  /** The last ones that may be asked for. */
  #members: Member[] = []

  constructor(format: Member['format']) {
    this.#format = format
  }

  /** The next member begins. */
  add(compressed: number, text: number): void {
    const last = this.#members.at(-1)
    if (last === undefined || text - last.text >= MIN_DISTANCE)
      this.#members.push({ format: this.#format, compressed, text })
  }

  /** The last member in which an offset of the text is. No offset before this one is asked for from now on. */
  before(text: number): Member | undefined {
    const at = this.#members.findLastIndex((member) => member.text <= text)
    this.#members = this.#members.slice(Math.max(0, at))
    return at < 0 ? undefined : this.#members[0]
  }
}
