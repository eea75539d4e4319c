/**
 * The public names that a module of tasks needs, as `millrace/task`. A worker that imports only this starts sooner than
 * one that imports the whole library.
 */
export { isMainThread } from './identity.js'
export { registerErrorClass, type ErrorClassOptions } from './register-error-class.js'
export { task, tasks, type MadeByTask, type Task, type TaskContext, type TaskLike, type TaskReference } from './task.js'
export { transfer } from './transfer.js'
