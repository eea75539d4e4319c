/** A bare child process that ends itself as its message says. */
import { dieBy, type Death } from './process-deaths.js'

process.once('message', (death: Death) => {
  dieBy(death)
})
