import { Redis } from 'ioredis'
import type { Product } from '../catalogue.ts'
import type { Contender, ContenderSettings } from './contender.ts'

/** The usual twenty lines on ioredis, its options as they come: look in Redis, else query and store; delete on a write. */
export function openCacheAside({ load, redisUrl, namespace, ttlMs }: ContenderSettings): Contender {
  const redis = new Redis(redisUrl)
  redis.on('error', () => {})
  const keyOf = (id: number): string => `${namespace}:product:${id}`
  let misses = 0
  return {
    async read(id) {
      const cached = await redis.get(keyOf(id))
      if (cached !== null) return JSON.parse(cached) as Product
      misses++
      const product = await load(id)
      await redis.set(keyOf(id), JSON.stringify(product), 'PX', ttlMs)
      return product
    },
    async remove(id) {
      await redis.del(keyOf(id))
      return 'applied'
    },
    get misses() {
      return misses
    },
    async close() {
      redis.disconnect()
    },
  }
}
