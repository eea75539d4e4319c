/**
 * Is loaded before the command line. A run that can go on then makes checkpoints all the time. It is killed before the
 * step on disk that `KILL_AT` says: its number, from 1, or its name.
 */
import { isMainThread } from 'node:worker_threads'
import { watchSteps } from '#dist/disk/steps.js'

/** Of checkpoints, by default. */
const INTERVAL_MS = 5_000

if (isMainThread) {
  const { setInterval } = globalThis
  const faster = (call: () => void, time?: number, ...args: []): NodeJS.Timeout =>
    setInterval(call, time === INTERVAL_MS ? 1 : time, ...args)
  Object.assign(globalThis, { setInterval: faster })
  const { KILL_AT = '' } = process.env
  let number = 0
  watchSteps(({ name }, take) => {
    if ([name, String(++number)].includes(KILL_AT)) process.kill(process.pid, 'SIGKILL')
    return take()
  })
}
