/** A worker of `threads`. */
import { expose } from 'threads/worker'
import * as functions from './functions.js'

expose({ ...functions })
