import { Redis } from 'ioredis'
import type { Contender, ContenderSettings } from './contender.ts'
import { MemoryStrings } from './memory-strings.ts'
import type { Product } from './products.ts'

/** The usual twenty lines: look in Redis, else query and store with a lifetime; delete on write. */
export function openCacheAside({ products, redisUrl, namespace, ttlSeconds }: ContenderSettings): Contender {
  const redis = redisUrl === undefined ? new MemoryStrings() : new Redis(redisUrl)
  const keyOf = (id: number): string => `${namespace}:product:${id}`
  return {
    async read(id) {
      const cached = await redis.get(keyOf(id))
      if (cached !== null) return JSON.parse(cached) as Product
      const product = await products.load(id)
      await redis.set(keyOf(id), JSON.stringify(product), 'EX', ttlSeconds)
      return product
    },
    async remove(id) {
      await redis.del(keyOf(id))
    },
    async close() {
      await redis.quit()
    },
  }
}
