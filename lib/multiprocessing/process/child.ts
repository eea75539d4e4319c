/** What a `Process` needs of the thread, or of the process of the system, that runs its target. */
import type { GivenIdentity } from '../../identity.js'
import type { GivenProcess } from './options.js'

/** What to start. */
export interface ChildOptions extends Pick<GivenProcess, 'target' | 'args' | 'transfer' | 'options'> {
  /** Begins the error texts. */
  readonly action: string
  readonly identity: Pick<GivenIdentity, 'name' | 'daemon'>
}

export interface ChildEvents {
  /** An error will end it. The first one counts. */
  readonly failed: (error: unknown) => void
  /** It has ended. -15 if it was terminated. */
  readonly ended: (exitCode: number) => void
}

export interface Child {
  readonly pid: number
  /** Lets it keep the program alive, or not. */
  keepAlive(keep: boolean): void
  /** Ends it. Settles when it has ended, after `ended()`. */
  terminate(): Promise<void>
  /** At the end of the program: lets it end by itself, so that everything it has printed arrives, and then ends it. */
  leave(): Promise<void>
}

/** The exit code of a child that was ended from outside: that of SIGTERM, as in Python. */
export const TERMINATED = -15
