/** The places of the handles that a worker process has besides its output. */

/** The pipe on which messages go both ways. */
export const MESSAGES_FD = 3
/** The file that says how far it is. */
export const PROGRESS_FD = 4
/** A pipe on which nothing is sent. It closes when the other process, or the thread that owns the pool, has ended. */
export const PARENT_FD = 5
