import type { Redis } from 'ioredis'

const keysPerScan = 500

export interface Stretch {
  readonly names: readonly string[]
  /** Every key of the database was among them. */
  readonly complete: boolean
}

/** Goes round the keys of a server in bounded stretches: each goes on where the last one ended. */
export class RollingScan {
  readonly #redis: Redis
  readonly #scans: number
  #cursor = '0'

  constructor(redis: Redis, keysPerStretch: number) {
    this.#redis = redis
    this.#scans = Math.max(1, Math.ceil(keysPerStretch / keysPerScan))
  }

  async next(): Promise<Stretch> {
    const names = new Set<string>()
    const fromTheStart = this.#cursor === '0'
    for (let left = this.#scans; left > 0; left--) {
      const [cursor, found] = await this.#redis.scan(this.#cursor, 'COUNT', keysPerScan)
      for (const name of found) names.add(name)
      this.#cursor = cursor
      if (cursor === '0') return { names: [...names], complete: fromTheStart }
    }
    return { names: [...names], complete: false }
  }
}
