/** @jest-config-loader esbuild-register */
// Tests run compiled, in bare Node, against the built package: what is tested is what users install.
// Jest's own runner would load the library inside a vm context, where errors, worker messages and process signals
// belong to another realm than the library's; jest-light-runner imports each file plainly.
import type { Config } from 'jest'

const config: Config = {
  runner: 'jest-light-runner',
  rootDir: 'build/test',
  testMatch: ['**/*.test.js'],
  setupFilesAfterEnv: ['<rootDir>/support/codec-path.js', '<rootDir>/support/time-limit.js'],
  // Files that take long run at full volume alone. The tests in browser/ need Chromium. Those in nats/ and databases/ need
  // servers: `npm run test:nats` and `npm run test:databases` run them, and nothing else.
  testPathIgnorePatterns: [
    ...(process.env['TEST_NATS'] === undefined ? ['/test/nats/'] : ['/test/(?!nats/)']),
    ...(process.env['TEST_DATABASES'] === undefined ? ['/test/databases/'] : ['/test/(?!databases/)']),
    ...(process.env['TEST_VOLUME'] === 'full' ? [] : ['[.]slow[.]test[.]', '/browser/']),
  ],
  transform: {},
  // One at a time, in Jest's own process: the tests start threads and programs themselves, and the runner's child
  // processes can miss the message they start by.
  maxWorkers: 1,
}

export default config
