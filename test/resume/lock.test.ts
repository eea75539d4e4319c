/** The lock of a run: one at a time, and none stays when its process is gone. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { watchSteps } from '#dist/disk/steps.js'
import { RunLock } from '#dist/resume/lock.js'
import { birthOf, systemTime } from '#dist/resume/process-birth.js'
import { useFolder } from '../sinks/folder.js'
import { times } from '../support/volume.js'

const folder = useFolder()
const onLinux = process.platform === 'linux' ? it : it.skip

const path = (): string => folder.at('a.lock')
const take = (): Promise<RunLock> => RunLock.take(path(), 'a.csv')

/** Writes the lock of another run. */
function lockedBy(holder: object): void {
  const held = { pid: process.pid, host: hostname(), since: new Date().toISOString(), ...holder }
  writeFileSync(path(), JSON.stringify(held))
}

/** The number of a process that is gone. */
function goneProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid
}

async function expectTaken(): Promise<void> {
  const lock = await take()
  expect(JSON.parse(readFileSync(path(), 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() })
  expect(folder.files()).toEqual(['a.lock'])
  await lock.release()
  expect(folder.files()).toEqual([])
}

it('a lock is for one run, also of those of one process, and is free at its end', async () => {
  const lock = await RunLock.take(folder.at('x', 'a.lock'), 'a.csv')
  const second = RunLock.take(folder.at('x', 'a.lock'), 'a.csv')
  await expect(second).rejects.toMatchObject({
    name: 'CheckpointError',
    code: 'ERR_CHECKPOINT_LOCKED',
    path: 'a.csv',
    message: expect.stringMatching(
      /^Cannot go on with 'a.csv' as another run of this process has been at work on it since \S+Z \(wait for its end; if it is gone, remove '.*a.lock'\)$/,
    ) as string,
  })
  await lock.release()
  await (await RunLock.take(folder.at('x', 'a.lock'), 'a.csv')).release()
  expect(folder.files()).toEqual([])
})

it('what was left of a takeover goes, if its process is gone', async () => {
  const holder = { pid: goneProcess(), host: hostname(), since: new Date().toISOString() }
  for (const text of ['', JSON.stringify(holder)]) {
    writeFileSync(`${path()}.takeover`, text)
    await expectTaken()
  }
})

it('a lock that cannot be written does not stay', async () => {
  watchSteps((step, run) => (step.name === 'lock.write' ? Promise.reject(new Error('no space')) : run()))
  try {
    await expect(take()).rejects.toThrow('no space')
  } finally {
    watchSteps(undefined)
  }
  expect(folder.files()).toEqual([])
})

describe('a lock stays, and is not taken,', () => {
  onLinux('if its process is there', async () => {
    lockedBy({ pid: process.ppid, birth: await birthOf(process.ppid) })
    await expect(take()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_LOCKED',
      message: expect.stringContaining(`the process ${process.ppid} on the host '${hostname()}'`) as string,
    })
    expect(folder.files()).toEqual(['a.lock'])
  })

  it('if the system tells no more than that a process has its number', async () => {
    lockedBy({ pid: process.ppid })
    await expect(take()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_LOCKED' })
  })

  it('of another thread, whatever the clock says', async () => {
    for (const since of ['2020-01-01T00:00:00.000Z', '2120-01-01T00:00:00.000Z']) {
      lockedBy({ since, time: systemTime() })
      await expect(take()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_LOCKED' })
    }
  })

  it('if it is of another host, where nothing is known of the process', async () => {
    lockedBy({ pid: goneProcess(), host: 'elsewhere' })
    await expect(take()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_LOCKED',
      message: expect.stringContaining("on the host 'elsewhere'") as string,
    })
  })
})

describe('a lock is taken from a process that is gone', () => {
  it('as its number is free', async () => {
    lockedBy({ pid: goneProcess(), birth: 'boot/1' })
    await expectTaken()
  })

  onLinux('as another process has its number now', async () => {
    lockedBy({ pid: process.ppid, birth: 'boot/1' })
    await expectTaken()
  })

  onLinux('as this process has its number now, in a new container', async () => {
    lockedBy({ birth: 'boot/1' })
    await expectTaken()
  })

  it('as this process has its number now, where the system does not tell when it began', async () => {
    // Before this process; and before a restart of the system. The clock was set back since.
    for (const time of [0, systemTime() + 3_600_000]) {
      lockedBy({ since: '2120-01-01T00:00:00.000Z', time })
      await expectTaken()
    }
  })

  it('before it could write who it is', async () => {
    writeFileSync(path(), '')
    await expectTaken()
  })

  it('while it took a lock itself', async () => {
    lockedBy({ pid: goneProcess() })
    writeFileSync(`${path()}.takeover`, readFileSync(path()))
    await expectTaken()
  })

  it('by one of all that try', async () => {
    const pid = goneProcess()
    for (let round = 0; round < times(5, 20); round++) {
      lockedBy({ pid })
      const tries = await Promise.allSettled(Array.from({ length: 8 }, take))
      const locks = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      const errors = tries.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))
      expect(locks.length).toBe(1)
      expect(errors).toEqual(Array<string>(7).fill('ERR_CHECKPOINT_LOCKED'))
      expect(folder.files()).toEqual(['a.lock'])
      for (const lock of locks) await lock.release()
    }
  })
})

it('the birth of a process is the same each time, and differs from that of another one', async () => {
  expect(await birthOf(process.pid)).toBe(await birthOf(process.pid))
  if (process.platform === 'linux') expect(await birthOf(process.pid)).not.toBe(await birthOf(process.ppid))
  expect(await birthOf(goneProcess())).toBeUndefined()
})
