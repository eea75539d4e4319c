/** All classes of objects that threads share: a worker must know them to make instances of those that it is sent. */
import './barrier.js'
import './condition.js'
import './event.js'
import './lock.js'
import './rlock.js'
import './semaphore.js'
import './shared-array.js'
import './value.js'
