/** What statuses of the server mean for a request for messages. */
import type { BrokerError } from '#dist/cluster/broker.js'
import { requestFor, statusOf } from '#dist/nats/pull-request.js'

type Message = Parameters<typeof statusOf>[0]

function status(code: number, description: string): Message {
  return { headers: { code, description } } as unknown as Message
}

it.each([
  [100, 'Idle Heartbeat', 'stands'],
  [404, 'No Messages', 'over'],
  [408, 'Request Timeout', 'over'],
  [409, 'Message Size Exceeds MaxBytes', 'over'],
])('%d %s: it %s', (code, description, meaning) => {
  expect(statusOf(status(code, description), 'next')).toBe(meaning)
})

it.each([
  [409, 'Consumer Deleted', 'missing'],
  [503, '', 'missing'],
  [409, 'Leadership Change', 'timeout'],
  [409, 'Server Shutdown', 'timeout'],
  [400, 'Bad Request', 'timeout'],
])('%d %s: the consumer is %s', (code, description, fault) => {
  const error = statusOf(status(code, description), 'next') as BrokerError
  expect(error.fault).toBe(fault)
  expect(error.message).toContain(`Cannot ask next: status ${code}`)
})

it('a request has its bounds in the units of the protocol', () => {
  expect(JSON.parse(new TextDecoder().decode(requestFor(3, 100)))).toEqual({
    batch: 3,
    max_bytes: 100,
    expires: 5_000_000_000,
    idle_heartbeat: 2_000_000_000,
  })
})
