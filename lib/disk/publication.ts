/**
 * How whole files get their names. A run that is complete may have been stopped at any of these steps: what it has done
 * is recognised, and the rest is done.
 */
import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Disk } from './disk.js'
import { statOf, unlessMissing } from './file-stats.js'
import { assertReplaceable, existsError, isSameFile, lostError, withCure } from './file-errors.js'
import type { Owner } from './steps.js'
import type { InputFiles } from './input-files.js'

/** What an unfinished file has behind its name. */
export const PART_SUFFIX = '.part'

/** A file that is whole, and safe on disk. */
export interface WholeFile {
  readonly path: string
  /** Its size. */
  readonly bytes: number
}

/** What may be replaced. */
interface Replaceable {
  readonly overwrite: boolean
  readonly inputs: InputFiles
}

/**
 * Publishes the files of a run that is complete, in this process or in one before. Those that have their names already
 * are left as they are. If one of them cannot be published, none is.
 *
 * @param owner Whose files they are.
 * @throws CheckpointError `ERR_CHECKPOINT_OUTPUT`: a file is neither there under its own name nor under the other one.
 * OutputError `ERR_OUTPUT_EXISTS`, `ERR_OUTPUT_IS_INPUT`. Errors of the system.
 */
export async function publishFiles(
  files: readonly WholeFile[],
  options: Replaceable,
  owner: Owner = 'output',
): Promise<void> {
  const disk = new Disk(owner)
  for (const file of files) await withCure(file.path, () => look(file, options))
  for (const file of files) await withCure(file.path, () => publish(file, options, disk))
}

async function publish(whole: WholeFile, options: Replaceable, disk: Disk): Promise<void> {
  const { path } = whole
  const { file, part, found } = await look(whole, options)
  if (found === 'part') await renamePart(disk, part, file, { path, overwrite: options.overwrite })
  if (found === 'both') await unlinkPart(disk, part, file)
  // Also of one that has its name: perhaps the name is not safe yet.
  await disk.syncFolder(dirname(file))
}

/** How far the publishing of a file has come. Both names: it was stopped between the two steps of a renaming by links. */
interface Found {
  readonly file: string
  readonly part: string
  readonly found: 'part' | 'both' | 'file'
}

/** Throws if the file cannot be published. */
async function look({ path, bytes }: WholeFile, options: Replaceable): Promise<Found> {
  const file = (await unlessMissing(realpath(path))) ?? path
  const part = file + PART_SUFFIX
  const [whole, old] = [await statOf(part), await statOf(file)]
  if (whole === undefined) {
    if (old?.size !== BigInt(bytes)) throw lostError(path, part, bytes, undefined)
    return { file, part, found: 'file' }
  }
  if (whole.size !== BigInt(bytes)) throw lostError(path, part, bytes, whole.size)
  if (isSameFile(whole, old)) return { file, part, found: 'both' }
  if (old !== undefined) await assertReplaceable(path, old, options)
  return { file, part, found: 'part' }
}

/** Gives a file its name. @param path Its name for people. */
export async function renamePart(
  disk: Disk,
  part: string,
  file: string,
  { path, overwrite }: { readonly path: string; readonly overwrite: boolean },
): Promise<void> {
  if (overwrite) {
    await disk.rename(part, file)
    return
  }
  try {
    // Unlike `rename()`, it does not replace a file that was made meanwhile.
    await disk.link(part, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw existsError(path)
    // There are file systems without links.
    await disk.rename(part, file)
    return
  }
  await unlinkPart(disk, part, file)
}

/** Of a file that has both names. Not before the new name is safe: else a crash of the system may lose both. */
async function unlinkPart(disk: Disk, part: string, file: string): Promise<void> {
  await disk.syncFolder(dirname(file))
  await disk.unlink(part)
}
