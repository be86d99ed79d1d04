import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import { type Peer, quietly } from '../peer.ts'

/** As "Cache drivers" and "Multi-tier" of its documentation set it up. */
export const peers: readonly Peer[] = [
  {
    title: 'bentocache, Redis',
    package: 'bentocache',
    configuration: 'bentostore().useL2Layer(redisDriver({ connection })); ttl, prefix',
    localTier: false,
    open({ redisUrl, prefix, ttlMs, load }) {
      const connection = quietly(new Redis(redisUrl))
      const bento = new BentoCache({
        default: 'redis',
        ttl: ttlMs,
        prefix,
        stores: { redis: bentostore().useL2Layer(redisDriver({ connection })) },
      })
      return {
        read: id => bento.getOrSet({ key: id, factory: () => load(id) }),
        remove: id => bento.delete({ key: id }),
        async close() {
          connection.disconnect()
        },
      }
    },
  },
  {
    title: 'bentocache, memory + Redis + bus',
    package: 'bentocache',
    configuration:
      "bentostore().useL1Layer(memoryDriver({ maxSize: '10mb' })).useL2Layer(redisDriver(…)).useBus(redisBusDriver(…)); ttl, prefix",
    localTier: true,
    open({ redisUrl, prefix, ttlMs, load }) {
      const connection = quietly(new Redis(redisUrl))
      const { hostname, port } = new URL(redisUrl)
      const bento = new BentoCache({
        default: 'multitier',
        ttl: ttlMs,
        prefix,
        stores: {
          multitier: bentostore()
            .useL1Layer(memoryDriver({ maxSize: '10mb' }))
            .useL2Layer(redisDriver({ connection }))
            .useBus(redisBusDriver({ connection: { host: hostname, port: Number(port) } })),
        },
      })
      return {
        read: id => bento.getOrSet({ key: id, factory: () => load(id) }),
        remove: id => bento.delete({ key: id }),
        async close() {
          connection.disconnect()
          await bento.disconnectAll()
        },
      }
    },
  },
]
