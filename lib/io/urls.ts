/** Names of inputs that are URLs of servers, beside paths. It asks no server. */
import { basename } from 'node:path'

export function isServerUrl(name: string): boolean {
  return /^https?:\/\//i.test(name)
}

/** The path in a URL, as it is written there. A path is its own. */
export function pathIn(name: string): string {
  return isServerUrl(name) ? new URL(name).pathname : name
}

/** The last name of a path, or of the path in a URL, which may have none. */
export function fileNameIn(name: string): string {
  return basename(pathIn(name)) || (isServerUrl(name) ? new URL(name).hostname : name)
}
