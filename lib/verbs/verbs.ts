/** The verbs that a pool and a cluster have in common. */
import type { Apply } from './apply.js'
import type { Filter } from './filter.js'
import type { FlatMap } from './flat-map.js'
import type { Imap } from './imap.js'
import type { Istarmap } from './istarmap.js'
import type { MapVerb, Starmap } from './map.js'
import type { Reduce } from './reduce.js'

/**
 * The verbs of a `Pool`, and of a `Cluster` of `millrace/nats`. Code that takes `Verbs` runs on threads and processes of
 * this machine, or on many machines.
 */
export interface Verbs {
  /** As the module-level `imap`. */
  readonly imap: Imap
  /** As the module-level `imapUnordered`. */
  readonly imapUnordered: Imap
  /** As the module-level `istarmap`. */
  readonly istarmap: Istarmap
  /** As the module-level `istarmapUnordered`. */
  readonly istarmapUnordered: Istarmap
  /** As the module-level `filter`. */
  readonly filter: Filter
  /** As the module-level `filterUnordered`. */
  readonly filterUnordered: Filter
  /** As the module-level `flatMap`. */
  readonly flatMap: FlatMap
  /** As the module-level `flatMapUnordered`. */
  readonly flatMapUnordered: FlatMap
  /** As the module-level `reduce`. */
  readonly reduce: Reduce
  /** As the module-level `map`. */
  readonly map: MapVerb
  /** As the module-level `starmap`. */
  readonly starmap: Starmap
  /** As the module-level `apply`. */
  readonly apply: Apply
}
