/** Lists of paths that become known when they are read: what `files()` gives. Sources of bytes recognise them here. */

/** What `files()` returns: the paths of files. Each loop over it lists them anew. */
export interface Files extends AsyncIterable<string> {
  /** The globs, as they were given. */
  readonly globs: readonly string[]
}

type ListPaths = () => Promise<readonly string[]>

/** Kept apart from the objects: it is a matter between parts of this library. */
const lists = new WeakMap<object, ListPaths>()

/** Lets `files` be read as a list of sources. `list` is called when the first of them is reached. */
export function offerPaths(files: Files, list: ListPaths): void {
  lists.set(files, list)
}

/** Whether a value is such a list, which `listPaths()` can read. */
export function isFiles(value: unknown): value is Files {
  return typeof value === 'object' && value !== null && lists.has(value)
}

/** The paths, sorted. */
export async function listPaths(files: Files): Promise<readonly string[]> {
  return (await lists.get(files)?.()) ?? []
}
