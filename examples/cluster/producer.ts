/** A pipeline whose task runs on the hosts. With `new Pool()` in place of the cluster it runs on this machine. */
import { pipe } from 'millrace'
import { Cluster } from 'millrace/nats'
import { parse } from './tasks.js'

const LINES = 200_000

function* log(): Generator<string, void, void> {
  for (let n = 0; n < LINES; n++) yield `GET /page/${n % 10} ${n % 100 === 0 ? 404 : 200} ${n % 1_000}`
}

await using cluster = new Cluster({
  servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
  credentials: { user: 'producer', pass: process.env.PRODUCER_PASSWORD ?? '' },
  namespace: 'acme',
  name: 'reports',
})
const hosts = await cluster.ready({ hosts: 2 })
console.log(
  `hosts: ${hosts
    .map(({ name }) => name)
    .sort()
    .join(', ')}`,
)

let [hits, missing, bytes] = [0, 0, 0]
for await (const hit of pipe(log(), cluster.imap(parse))) {
  hits++
  if (hit.status === 404) missing++
  bytes += hit.bytes
}
console.log(`${hits} requests, ${missing} not found, ${bytes} bytes`)
