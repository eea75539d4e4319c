/** Facts about compressed data that are found while they are read. */

export interface Damage {
  readonly what: string
  /** Where, in bytes of the compressed input. */
  readonly offset: number
  readonly cause?: unknown
}

/** Facts about the text of a member, which its trailer must confirm. */
export interface MemberText {
  length: number
  checksum: number
}
