/** The options that all sources of records have: how their text is read, and how long a record may be. */
import { constants } from 'node:buffer'
import { asciiSafe, textEncoding } from '../io/encoding.js'
import { isProgram, PROGRAM_EXPECTED, programHint } from '../io/program.js'
import type { TextOptions } from '../io/text.js'
import type { OptionReader } from '../options.js'

const DEFAULT_MAX_LENGTH = 16 * 1024 * 1024

export interface RecordTextOptions {
  readonly encoding?: string | undefined
  readonly maxLength?: number | undefined
  readonly decompress?: readonly string[] | undefined
}

export interface RecordText {
  /** In an encoding in which bytes of ASCII are ASCII. */
  readonly text: TextOptions
  readonly maxLength: number
}

export function readRecordText(action: string, read: OptionReader<RecordTextOptions>): RecordText {
  const encoding = read.value('encoding', 'the name of an encoding', (value) => typeof value === 'string')
  const decompress = read.value('decompress', PROGRAM_EXPECTED, isProgram, programHint)
  return {
    text: {
      text: asciiSafe(textEncoding(action, encoding, undefined)),
      fatal: false,
      detect: true,
      decompress: decompress && [...decompress],
    },
    maxLength: read.integer('maxLength', 1, constants.MAX_STRING_LENGTH) ?? DEFAULT_MAX_LENGTH,
  }
}
