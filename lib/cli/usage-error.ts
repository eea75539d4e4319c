/** It was called in a wrong way. The message says what is wrong, and what to do. */
export class UsageError extends Error {}
