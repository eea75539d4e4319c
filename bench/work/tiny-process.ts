/** A bare child process that posts at once. */
process.send?.(1)
