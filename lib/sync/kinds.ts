/** Makes all classes of objects that threads share known on this thread, so that each object can be made again that arrives. */
import './shared-array.js'
import './value.js'
