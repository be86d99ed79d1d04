import { Redis } from 'ioredis'
import { Keys } from '../../src/redis/keys.ts'

/** What stands in Redis for a namespace's keys, read behind the cache's back. */
export class StoredState implements AsyncDisposable {
  readonly #redis: Redis
  readonly #keys: Keys

  constructor(redisUrl: string, namespace: string) {
    this.#redis = new Redis(redisUrl)
    this.#keys = new Keys(namespace, '', 0, 512)
  }

  /** How many of the keys' leases are held by someone. Markers that nobody holds do not count. */
  async leasesHeld(keys: readonly string[]): Promise<number> {
    const leases = await this.#redis.mgetBuffer(keys.map(key => this.#keys.lease({ key, version: 0 })))
    return leases.filter(lease => lease !== null && 'HWN'.includes(String.fromCharCode(lease[0] ?? 0))).length
  }

  /** The first letter of the lease, `''` when there is none. */
  async leaseState(key: string): Promise<string> {
    return ((await this.#redis.get(this.#keys.lease({ key, version: 0 }))) ?? '').slice(0, 1)
  }

  async valuesStored(keys: readonly string[]): Promise<number> {
    return this.#redis.exists(keys.map(key => this.#keys.value({ key, version: 0 })))
  }

  /** The entry's bytes. */
  value(key: string): Promise<Buffer | null> {
    return this.#redis.getBuffer(this.#keys.value({ key, version: 0 }))
  }

  /** How long Redis keeps the entry, in ms. */
  remainingMs(key: string): Promise<number> {
    return this.#redis.pttl(this.#keys.value({ key, version: 0 }))
  }

  async serverNowMs(): Promise<number> {
    const [seconds = NaN, micros = NaN] = (await this.#redis.time()).map(Number)
    return seconds * 1000 + micros / 1000
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect()
  }
}
