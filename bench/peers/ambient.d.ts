/** The used parts of `threads`, whose declarations cannot be found through its `exports`, and of `split2`, which has none. */

declare module 'threads' {
  export interface Worker {
    terminate(): Promise<void>
  }
  export const Worker: new (path: string) => Worker
  export function spawn<W>(worker: Worker): Promise<W>
  export function Pool<W>(
    spawnWorker: () => Promise<W>,
    size: number,
  ): {
    queue<R>(task: (worker: W) => Promise<R>): PromiseLike<R>
    terminate(): Promise<void>
  }
}

declare module 'split2' {
  import type { Transform } from 'node:stream'
  export default function split2(): Transform
}

declare module 'threads/worker' {
  export function expose(functions: object): void
}
