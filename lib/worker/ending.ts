/**
 * A thread that ends by itself first lets the threads end that it has started. So nothing that they have printed is
 * lost, and their `exit` handlers run. Node would end them wherever they are.
 *
 * Not for `process.exit()` and uncaught errors, which end a thread at once.
 */

/** Lets some threads end. Settles when they have. */
type Ending = () => Promise<unknown>

const endings = new Set<Ending>()

/** Called when nothing keeps this thread alive any more. Its event loop goes on until what it starts has ended. */
function endOthers(): void {
  for (const end of endings) void end()
}

/** Before this thread ends by itself, `end` is called. It may be called several times. */
export function addEnding(end: Ending): void {
  if (endings.size === 0) process.on('beforeExit', endOthers)
  endings.add(end)
}

export function removeEnding(end: Ending): void {
  if (!endings.delete(end) || endings.size > 0) return
  process.off('beforeExit', endOthers)
}

export async function endThread(): Promise<void> {
  if (endings.size > 0) await Promise.all([...endings].map((end) => end()))
  process.exit(0)
}
