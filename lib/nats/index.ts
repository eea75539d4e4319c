/** The public names of `millrace/nats`: streams on many machines, through NATS JetStream. */
export { ClusterError, HostLostError, NoHostsError, TooLargeError } from '../cluster/errors.js'
