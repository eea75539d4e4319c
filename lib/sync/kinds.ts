/** All classes of locks and the like: a worker must know them to make instances of those that it is sent. */
import './barrier.js'
import './condition.js'
import './event.js'
import './joinable-queue.js'
import './lock.js'
import './queue.js'
import './rlock.js'
import './semaphore.js'
