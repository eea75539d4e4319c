/** The used part of `threads`: its declarations cannot be found through its `exports`. */

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

declare module 'threads/worker' {
  export function expose(functions: object): void
}
