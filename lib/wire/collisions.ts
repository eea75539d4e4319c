/**
 * Finds keys of a Map or Set that were chosen to collide. V8 hashes texts and objects with a secret, and numbers and bigints
 * without one. Each insertion walks over all keys of the same hash: 100 KB of such keys take a second.
 *
 * These are V8's hashes, of versions 11 to 14 at least. Of keys that nobody has chosen, hardly ten meet, whatever the hash.
 */

/** Collections up to this size cost little in any case. */
const MIN_COUNT = 1_024
const MAX_CHAIN = 64

const float = new Float64Array(1)
const bits = new BigUint64Array(float.buffer)

export class CollisionCheck {
  /** How many keys are in each chain of the table that V8 makes in the end; undefined for small collections. */
  readonly #chains: Uint8Array | undefined

  /** @param count How many keys there will be. */
  constructor(count: number) {
    if (count > MIN_COUNT) this.#chains = new Uint8Array(2 ** Math.ceil(Math.log2(count / 2)))
  }

  /** Whether the next key may be inserted. */
  accepts(key: unknown): boolean {
    const chains = this.#chains
    if (chains === undefined || (typeof key !== 'number' && typeof key !== 'bigint')) return true
    const chain = hashOf(key) & (chains.length - 1)
    const length = (chains[chain] ?? 0) + 1
    chains[chain] = length
    return length <= MAX_CHAIN
  }
}

function hashOf(key: number | bigint): number {
  if (typeof key === 'bigint') return hashOfLong(BigInt.asUintN(64, key < 0n ? -key : key))
  if ((key | 0) === key) return hashOfInteger(key)
  float[0] = key
  return hashOfLong(bits[0] ?? 0n)
}

function hashOfInteger(key: number): number {
  let hash = ~key + (key << 15)
  hash ^= hash >>> 12
  hash += hash << 2
  hash ^= hash >>> 4
  hash = Math.imul(hash, 2057)
  return hash ^ (hash >>> 16)
}

function hashOfLong(key: bigint): number {
  let hash = BigInt.asUintN(64, ~key + (key << 18n))
  hash ^= hash >> 31n
  hash = BigInt.asUintN(64, hash * 21n)
  hash ^= hash >> 11n
  hash = BigInt.asUintN(64, hash + (hash << 6n))
  hash ^= hash >> 22n
  return Number(BigInt.asIntN(32, hash))
}
