import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { until } from '../redis/fixture.ts'
import { startRedis } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'

const seeds = (port: number) => [{ host: '127.0.0.1', port }]
const clients: readonly (readonly [string, (port: number) => Cluster])[] = [
  ['ioredis 6', port => new Cluster(seeds(port), { lazyConnect: true })],
  ['ioredis 5', port => new Cluster5(seeds(port), { lazyConnect: true }) as unknown as Cluster],
]

async function answersUntilThereIsOne(create: (port: number) => Cluster, slotsAtFirst: boolean): Promise<void> {
  const server = await startRedis({ cluster: true })
  const admin = new Redis(server.url)
  const addSlots = () => admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
  if (slotsAtFirst) await addSlots()
  const client = create(server.port)
  const cache = createCache({ namespace: ownNamespace(), store: redisStore(client) })
  try {
    const message = expect.stringContaining('names no primary') as string
    await expect(cache.ready()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message })
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded')
    await admin.call('CONFIG', 'SET', 'cluster-announce-ip', '127.0.0.1')
    // Valkey 8.1 goes on giving the answer that it remembers to CLUSTER SLOTS until its slots change.
    if (slotsAtFirst) await admin.call('CLUSTER', 'DELSLOTSRANGE', 0, 16_383)
    await addSlots()
    // A server takes a moment to believe that its cluster stands.
    await until(async () => {
      const { store, bus } = cache.status()
      return store === 'up' && bus === 'up' && (await cache.set('key', 'set')) === 'applied'
    })
  } finally {
    await cache.close()
    client.disconnect()
    admin.disconnect()
    await server.stop()
  }
}

describe.concurrent('a cluster that names no primary answers calls, says why to ready, and is used once it names one', () => {
  it.each(clients)('nobody has slots yet, over %s', async (_, create) => {
    await expect(answersUntilThereIsOne(create, false)).resolves.toBeUndefined()
  })

  it.each(clients)('the one that has all slots does not say its address, over %s', async (_, create) => {
    await expect(answersUntilThereIsOne(create, true)).resolves.toBeUndefined()
  })
})
