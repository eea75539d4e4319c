/** A worker of poolifier. */
import { ThreadWorker, type TaskFunctions } from 'poolifier'
import * as functions from './functions.js'

export default new ThreadWorker({ ...functions } as unknown as TaskFunctions)
