/** Keeps the program alive while calls wait: a wait for a cell of shared memory does not keep Node alive. */

/** The longest interval of a timer: it does not fire, it only keeps the event loop alive. */
const MAX_INTERVAL_MS = 2 ** 30
let calls = 0
let timer: NodeJS.Timeout | undefined

/** For a call that begins to wait: the program does not end before `letEnd()`. */
export function keepAlive(): void {
  if (calls++ === 0) timer = setInterval(() => {}, MAX_INTERVAL_MS)
}

export function letEnd(): void {
  if (--calls === 0) clearInterval(timer)
}
