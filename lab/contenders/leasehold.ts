import { createCache, type CacheOptions } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import type { Contender, ContenderSettings } from './contender.ts'

/** Leasehold, its defaults untouched but for `own`. */
export function openLeasehold(
  { load, redisUrl, namespace, ttlMs }: ContenderSettings,
  own: Pick<CacheOptions, 'local'> = {},
): Contender {
  const cache = createCache({ namespace, store: redisStore(redisUrl), ttl: ttlMs, ...own })
  const keyOf = (id: number): string => `product:${id}`
  let misses = 0
  cache.on('miss', ({ outcome }) => {
    if (outcome !== 'kept') misses++
  })
  return {
    read: id => cache.getOrSet(keyOf(id), () => load(id)),
    remove: id => cache.delete(keyOf(id)),
    get misses() {
      return misses
    },
    close: () => cache.close(),
  }
}
