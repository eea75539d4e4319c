/** `npm run example:cluster`: a server with four roles, two hosts and a producer. */
import { runExample } from '../examples/run.js'

it('the example runs a pipeline on two hosts, and ends', async () => {
  const { code, stdout, stderr } = await runExample('cluster/main.js', [])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('[producer] hosts: one, two\n[producer] 200000 requests, 2000 not found, 99900000 bytes\n')
})
