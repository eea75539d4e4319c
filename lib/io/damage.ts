/** What is found out about compressed data while they are read. */

/** What is wrong with compressed data. */
export interface Damage {
  readonly what: string
  /** Where, in bytes of the compressed input. */
  readonly offset: number
  readonly cause?: unknown
}

/** What is known about the text of a member, to compare with what the member says about itself. */
export interface MemberText {
  length: number
  checksum: number
}
