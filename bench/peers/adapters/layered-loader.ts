import { Redis } from 'ioredis'
import { createNotificationPair, enrichRedisConfig, Loader, RedisCache } from 'layered-loader'
import { type Peer, type PeerSettings, quietly } from '../peer.ts'

function clientFor(redisUrl: string): Redis {
  const { hostname, port } = new URL(redisUrl)
  return quietly(new Redis(enrichRedisConfig({ host: hostname, port: Number(port) })))
}

function layers({ redisUrl, prefix, ttlMs, load }: PeerSettings) {
  const redis = clientFor(redisUrl)
  return {
    redis,
    asyncCache: new RedisCache<object>(redis, { json: true, prefix, ttlInMsecs: ttlMs }),
    dataSources: [
      {
        name: 'source',
        isCache: false as const,
        get: (id: string) => load(id) as Promise<object>,
        getMany: () => Promise.resolve([]),
      },
    ],
  }
}

/** As "Basic example" and "Redis pub/sub" of its documentation set it up. */
export const peers: readonly Peer[] = [
  {
    title: 'layered-loader, Redis',
    package: 'layered-loader',
    configuration:
      'new Loader({ asyncCache: new RedisCache(redis, { json: true, prefix, ttlInMsecs }), dataSources }); enrichRedisConfig',
    localTier: false,
    open(settings) {
      const { redis, ...rest } = layers(settings)
      const loader = new Loader<object>(rest)
      return {
        read: id => loader.get(id),
        remove: id => loader.invalidateCacheFor(id),
        async close() {
          redis.disconnect()
        },
      }
    },
  },
  {
    title: 'layered-loader, memory + Redis + pub/sub',
    package: 'layered-loader',
    configuration: "the same with inMemoryCache: { cacheType: 'lru-map', ttlInMsecs, maxItems: 1000 } and createNotificationPair",
    localTier: true,
    async open(settings) {
      const { redis, ...rest } = layers(settings)
      const [publisherRedis, consumerRedis] = [clientFor(settings.redisUrl), clientFor(settings.redisUrl)]
      const { publisher, consumer } = createNotificationPair<object>({
        channel: `${settings.prefix}:bus`,
        publisherRedis,
        consumerRedis,
      })
      const loader = new Loader<object>({
        ...rest,
        inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: settings.ttlMs, maxItems: 1000 },
        notificationConsumer: consumer,
        notificationPublisher: publisher,
      })
      await loader.init()
      return {
        read: id => Promise.resolve(loader.get(id)),
        remove: id => loader.invalidateCacheFor(id),
        async close() {
          for (const client of [redis, publisherRedis, consumerRedis]) client.disconnect()
        },
      }
    },
  },
]
