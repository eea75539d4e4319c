/**
 * The file system as a search by globs sees it. It keeps errors that the search would drop, and lists links to nothing.
 * It escapes line ends in names, so that `*` and `**` match them too.
 */
import { readdir, realpath, stat, type Dirent } from 'node:fs'
import type { FileSystemAdapter } from 'tinyglobby'

type Done<T> = (error: NodeJS.ErrnoException | null, result?: T) => void

/** What a replaced character of a name looks like that is not valid UTF-8. */
const REPLACEMENT = '\ufffd'

/** In regular expressions, `.` does not match these. */
const LINE_ENDS = '\n\r\u2028\u2029'
/** Half a character, which no name in UTF-8 has. */
const FIRST_ESCAPE = 0xdc00

export function escapeLineEnds(text: string): string {
  return text.replace(/[\n\r\u2028\u2029]/g, (end) => String.fromCharCode(FIRST_ESCAPE + LINE_ENDS.indexOf(end)))
}

export function unescapeLineEnds(text: string): string {
  // With 'u', half of a character is not found in a whole one.
  return text.replace(/[\udc00-\udc03]/gu, (half) => LINE_ENDS.charAt(half.charCodeAt(0) - FIRST_ESCAPE))
}

/** Whether the system may know the path by other bytes. */
export function mayBeOtherBytes(path: string): boolean {
  return path.includes(REPLACEMENT)
}

export class NameReader {
  /** The first error of a folder that cannot be read. */
  error: NodeJS.ErrnoException | undefined
  /** A folder whose name is not valid UTF-8. */
  unnamed: string | undefined
  readonly fs: FileSystemAdapter

  constructor() {
    // It is called with these arguments alone.
    this.fs = { readdir: this.#readFolder, realpath: followLink, stat: statLink } as unknown as FileSystemAdapter
  }

  readonly #readFolder = (folder: string, options: { withFileTypes: true }, done: Done<Dirent[]>): void => {
    const path = unescapeLineEnds(folder)
    readdir(path, options, (error, entries) => {
      if (error !== null) this.#note(error, path)
      // Undefined after an error.
      for (const entry of (entries as Dirent[] | undefined) ?? []) entry.name = escapeLineEnds(entry.name)
      done(error, entries)
    })
  }

  #note(error: NodeJS.ErrnoException, path: string): void {
    const isMissing = error.code === 'ENOENT' || error.code === 'ENOTDIR'
    if (!isMissing) this.error ??= error
    else if (mayBeOtherBytes(path)) this.unnamed ??= path
  }
}

/** A link that cannot be followed stands for itself: reading the file gives the error. */
function followLink(path: string, done: Done<string>): void {
  realpath(unescapeLineEnds(path), (error, target) => {
    done(null, error === null ? target : path)
  })
}

function statLink(path: string, done: Done<{ isDirectory: () => boolean }>): void {
  stat(unescapeLineEnds(path), (error, stats) => {
    done(null, error === null ? stats : { isDirectory: () => false })
  })
}
