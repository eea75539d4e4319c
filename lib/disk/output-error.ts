/** Adds to errors of the system which output they are about, and what to do. */
import { dirname } from 'node:path'
import { addToMessage, isErrorObject } from '../errors.js'

/** The same error, with the path of the output, and the cure in its text. */
export function withOutputCure(error: unknown, path: string): unknown {
  if (!isErrorObject(error)) return error
  const { code, path: named, syscall } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || code.startsWith('ERR_')) return error
  // Of the file that is renamed when it is whole.
  if (named === undefined || named !== path) Object.assign(error, { path })
  const cure = cureFor(code, path, syscall)
  const where = error.message.includes(`'${path}'`) ? '' : ` (in '${path}')`
  addToMessage(error, where + (cure === undefined ? '' : ` (${cure})`))
  return error
}

const NOT_A_FOLDER = 'a part of the path is a file, and not a folder'

function cureFor(code: string, path: string, syscall: string | undefined): string | undefined {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space is left there: free some, or write to another disk'
    case 'EACCES':
    case 'EPERM':
      return `this user must be allowed to write in the folder '${dirname(path)}'`
    case 'EROFS':
      return 'that disk can only be read: write to another one'
    case 'EISDIR':
      return 'a folder: name a file in it'
    case 'EEXIST':
      if (syscall === 'open') return 'another write() to it has not ended: await that one, or choose another name'
      return NOT_A_FOLDER
    case 'ENOTDIR':
      return NOT_A_FOLDER
    case 'ENAMETOOLONG':
      return 'one of its names is longer than that disk allows, with .part behind it: use a shorter one'
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open: close some, or raise the limit'
    default:
      return undefined
  }
}
