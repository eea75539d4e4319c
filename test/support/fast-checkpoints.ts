/**
 * Is loaded before the command line. A run that can go on then makes checkpoints all the time. It is killed before the
 * step on disk with the number `KILL_AT`, from 1.
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
  let left = Number(process.env.KILL_AT ?? Infinity)
  watchSteps((_, take) => {
    if (--left <= 0) process.kill(process.pid, 'SIGKILL')
    return take()
  })
}
