import { createCache, type CacheOptions } from '../../../src/index.ts'
import { redisStore } from '../../../src/redis/index.ts'
import type { Peer } from '../peer.ts'

function leasehold(title: string, configuration: string, options: Partial<CacheOptions>): Peer {
  return {
    title,
    package: 'leasehold',
    configuration,
    localTier: false,
    open({ redisUrl, prefix, ttlMs, load }) {
      const cache = createCache({ namespace: prefix, store: redisStore(redisUrl), ttl: ttlMs, ...options })
      return {
        read: id => cache.getOrSet(id, () => load(id)),
        remove: id => cache.delete(id),
        close: () => cache.close(),
      }
    },
  }
}

export const peers: readonly Peer[] = [
  leasehold('Leasehold', 'createCache({ namespace, store: redisStore(url), ttl })', {}),
  leasehold("Leasehold, 'freeze'", "the same with values: 'freeze'", { values: 'freeze' }),
]
