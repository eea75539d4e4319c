/** @jest-config-loader esbuild-register */
// Tests run compiled, in bare Node, against the built package: what is tested is what users install.
// Jest's own runner would load the library inside a vm context, where errors, worker messages and process signals
// belong to another realm than the library's; jest-light-runner runs each file in a plain process.
import type { Config } from 'jest'

const config: Config = {
  runner: 'jest-light-runner/child-process',
  rootDir: 'build/test',
  testMatch: ['**/*.test.js'],
  setupFilesAfterEnv: ['<rootDir>/support/time-limit.js'],
  transform: {},
  maxWorkers: 2,
}

export default config
