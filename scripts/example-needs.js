// @ts-check
/**
 * What examples of the documentation can need beside the package: `<!-- run: NAME.ts needs: postgres -->`. They are run
 * by `npm run verify`, not by `npm test`. What is missing is an error: nothing is left out.
 */
import { nodeBinary } from './node-binary.js'
import { startPostgres } from './postgres.js'

/**
 * @typedef {object} Surroundings in which an example is run
 * @property {string} [node] the path of another Node
 * @property {Record<string, string>} [env] more variables of the environment
 * @property {() => Promise<void>} [stop] ends what was started
 */

/** By the name in the mark. @type {Record<string, () => Surroundings | Promise<Surroundings>>} */
export const NEEDS = {
  /** A native package, which is among the devDependencies. */
  duckdb: () => ({}),
  /** A module of Node that this version may not have. */
  'node-24': () => ({ node: nodeBinary('24') }),
  /** A server. */
  postgres: startPostgres,
}
