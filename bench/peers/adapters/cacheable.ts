import { createKeyvNonBlocking } from '@keyv/redis'
import { Cacheable } from 'cacheable'
import { type Peer, quietly } from '../peer.ts'

/** As "Non-Blocking with @keyv/redis" of its documentation sets it up. */
export const peers: readonly Peer[] = [
  {
    title: 'cacheable, memory + Redis',
    package: 'cacheable',
    configuration: 'new Cacheable({ secondary: createKeyvNonBlocking(url), nonBlocking: true, ttl }); getOrSet',
    localTier: true,
    open({ redisUrl, prefix, ttlMs, load }) {
      const secondary = quietly(createKeyvNonBlocking(redisUrl))
      const cache = quietly(new Cacheable({ secondary, nonBlocking: true, ttl: ttlMs }))
      const keyOf = (id: string): string => `${prefix}:${id}`
      return {
        read: id => cache.getOrSet(keyOf(id), () => load(id), { ttl: ttlMs }),
        remove: id => cache.delete(keyOf(id)),
        close: () => cache.disconnect(),
      }
    },
  },
]
