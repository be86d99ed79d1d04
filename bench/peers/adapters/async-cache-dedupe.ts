import { createCache } from 'async-cache-dedupe'
import { Redis } from 'ioredis'
import { type Peer, quietly } from '../peer.ts'

interface WithProduct {
  product(id: string): Promise<unknown>
  clear(name: string, id: string): Promise<void>
}

/** As its documentation sets up Redis storage. Its lifetimes are whole seconds. */
export const peers: readonly Peer[] = [
  {
    title: 'async-cache-dedupe, Redis',
    package: 'async-cache-dedupe',
    configuration: "createCache({ ttl, storage: { type: 'redis', options: { client } } }).define(name, load); clear(name, id)",
    localTier: false,
    open({ redisUrl, prefix, ttlMs, load }) {
      const client = quietly(new Redis(redisUrl, { keyPrefix: `${prefix}:` }))
      const cache = createCache({ ttl: Math.ceil(ttlMs / 1000), storage: { type: 'redis', options: { client } } })
      const defined = cache.define('product', (id: string) => load(id)) as unknown as WithProduct
      return {
        read: id => defined.product(id),
        remove: id => defined.clear('product', id),
        async close() {
          client.disconnect()
        },
      }
    },
  },
]
