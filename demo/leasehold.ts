import { createCache } from '../src/index.ts'
import { redisStore } from '../src/redis/index.ts'
import type { Contender, ContenderSettings } from './contender.ts'

/** The same with Leasehold, its defaults untouched. */
export function openLeasehold({ products, redisUrl, namespace, ttlSeconds, watch }: ContenderSettings): Contender {
  const cache = createCache({
    namespace,
    ttl: `${ttlSeconds}s`,
    ...(redisUrl === undefined ? {} : { store: redisStore(redisUrl) }),
  })
  watch?.(cache)
  const keyOf = (id: number): string => `product:${id}`
  return {
    read: id => cache.getOrSet(keyOf(id), () => products.load(id)),
    async remove(id) {
      await cache.delete(keyOf(id))
    },
    close: () => cache.close(),
  }
}
