/** Tells whether a file is on a local disk. A read from another computer, or from another program, may not come back. */
import { statfs } from 'node:fs'
import { promisify } from 'node:util'

const statFileSystem = promisify(statfs)

/** Numbers of file systems in Linux: see `man 2 statfs`. */
const LOCAL = new Set([
  0xef53, // ext2, ext3, ext4
  0x58_46_53_42, // xfs
  0x91_23_68_3e, // btrfs
  0xf2_f5_20_10, // f2fs
  0x2f_c1_2f_c1, // zfs
  0x01_02_19_94, // tmpfs
  0x79_4c_76_30, // overlayfs: the layers of a container
])

/** False where it is not known: on other systems than Linux, these numbers mean something else. Never rejects. */
export async function isLocal(path: string): Promise<boolean> {
  if (process.platform !== 'linux') return false
  try {
    const { type } = await statFileSystem(path)
    // Some are negative as a 32-bit number.
    return LOCAL.has(type >>> 0)
  } catch {
    // Then the thread pool reads the file, as any other.
    return false
  }
}
