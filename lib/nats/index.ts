/** The public names of `millrace/nats`: streams on many machines, through NATS JetStream. */
export { Cluster, type ClusterHost, type ClusterStats, type ReadyOptions } from './cluster.js'
export type { ClusterLimit } from '../cluster/limit.js'
export { ClusterError, HostLostError, NoHostsError, TooLargeError } from '../cluster/errors.js'
export type { ClusterCredentials, ClusterOptions, ClusterTls } from './options.js'
export type { Verbs } from '../verbs/verbs.js'
