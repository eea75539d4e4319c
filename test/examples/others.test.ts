import { runExample } from './run.js'

describe('examples', () => {
  it('single-file runs task and pipeline from one script', async () => {
    expect(await runExample('single-file/main.js', [])).toEqual({
      code: 0,
      stdout: '17984 primes below 200000\n',
      stderr: '',
    })
  })

  it('io-bound has 32 requests open at once, closes its server and ends', async () => {
    expect(await runExample('io-bound/main.js', [])).toEqual({
      code: 0,
      stdout: '200 responses in order, at most 32 requests at once\n',
      stderr: '',
    })
  })
})
