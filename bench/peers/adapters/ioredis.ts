import { Redis } from 'ioredis'
import { type Peer, quietly } from '../peer.ts'

/** No library: what one writes in twenty lines. */
export const peers: readonly Peer[] = [
  {
    title: 'ioredis, cache-aside',
    package: 'ioredis',
    configuration: 'new Redis(url); GET, else load and SET PX; DEL',
    localTier: false,
    open({ redisUrl, prefix, ttlMs, load }) {
      const redis = quietly(new Redis(redisUrl))
      const keyOf = (id: string): string => `${prefix}:${id}`
      return {
        async read(id) {
          const cached = await redis.get(keyOf(id))
          if (cached !== null) return JSON.parse(cached) as unknown
          const value = await load(id)
          await redis.set(keyOf(id), JSON.stringify(value), 'PX', ttlMs)
          return value
        },
        remove: id => redis.del(keyOf(id)),
        async close() {
          redis.disconnect()
        },
      }
    },
  },
]
