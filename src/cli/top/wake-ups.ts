import type { Redis } from 'ioredis'
import { decodeWake } from '../../redis/keys.ts'
import { unescapeKey } from '../../redis/parse-key.ts'
import { resourceId, resourceName } from './resource-name.ts'

/** Listens to the buses of all namespaces and counts: each wake-up is a load that ended while another process waited for it. */
export class WakeUps {
  readonly #redis: Redis
  #counts = new Map<string, number>()

  private constructor(redis: Redis) {
    this.#redis = redis
    redis.on('pmessageBuffer', (_pattern: Buffer, channel: Buffer, message: Buffer) => this.#hear(channel.toString(), message))
  }

  /** Undefined when the user may not listen. */
  static async listen(redis: Redis): Promise<WakeUps | undefined> {
    const wakeUps = new WakeUps(redis)
    try {
      await redis.psubscribe('*:bus', '*:bus:*')
      return wakeUps
    } catch {
      redis.disconnect()
      return undefined
    }
  }

  /** Counts by namespace and resource since they were taken last. */
  take(): ReadonlyMap<string, number> {
    const counts = this.#counts
    this.#counts = new Map()
    return counts
  }

  get listening(): boolean {
    return this.#redis.status === 'ready'
  }

  #hear(channel: string, message: Buffer): void {
    const wake = decodeWake(message)
    if (wake === undefined) return
    const owner = channel.replace(/:bus(:\d+)?$/, '')
    const key = unescapeKey(wake.slice(wake.indexOf(':') + 1))
    const id = resourceId(owner, resourceName(key))
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
  }
}
