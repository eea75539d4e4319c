/** Which files this thread may read itself. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isLocal } from '#dist/io/local-disk.js'

it.each(['/proc/self/status', join(tmpdir(), 'millrace-no-such-file'), ''])(
  'isLocal() is false for %j: not on a local disk, or not there',
  async (path) => {
    expect(await isLocal(path)).toBe(false)
  },
)
