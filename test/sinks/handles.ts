/** Watches the files that are synced by this thread, on Linux. */
import { readlinkSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

/** Calls `seen` with the path of each file that is about to be synced, until the function that it gives is called. */
export async function watchHandles(seen: (path: string) => void): Promise<() => void> {
  const handle = await open('/dev/null')
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const original = Reflect.get<FileHandle, 'sync'>(prototype, 'sync')
  prototype.sync = function (this: FileHandle) {
    seen(readlinkSync(`/proc/self/fd/${this.fd}`))
    return original.call(this)
  }
  return () => {
    prototype.sync = original
  }
}
