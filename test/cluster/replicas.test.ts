import { expect, it } from 'vitest'
import { Cluster } from 'ioredis'
import { createCache } from '../../src/index.ts'
import { Keys } from '../../src/redis/keys.ts'
import { redisStore } from '../../src/redis/index.ts'
import { OwnCluster } from '../faults/own-cluster.ts'
import { ownNamespace } from '../shared-redis.ts'

it('a delete in a cluster waits for the replicas of the server that has the key', { timeout: 60_000 }, async () => {
  await using cluster = await OwnCluster.start({ replicas: 1 })
  const namespace = ownNamespace()
  const client = new Cluster(
    cluster.urls.map(url => ({ host: '127.0.0.1', port: Number(new URL(url).port) })),
    { lazyConnect: true },
  )
  const cache = createCache({ namespace, store: redisStore(client), commandTimeout: '5s', storeBudget: '10s' })
  const keys = new Keys(namespace, '', 0, 512)
  const hasReplica = new Map<boolean, string>()
  for (let nth = 0; hasReplica.size < 2; nth++) {
    const key = `k${nth}`
    hasReplica.set((await cluster.ownerOf(keys.slot({ key, version: 0 }))) === cluster.primaries[0], key)
  }
  const [withReplica, without] = [hasReplica.get(true) as string, hasReplica.get(false) as string]
  expect(await cache.delete(withReplica, { replicas: 1, timeout: '20s' })).toBe('applied')
  await expect(cache.delete(without, { replicas: 1, timeout: 200 })).rejects.toThrow('the server has no replica')
  await cache.close()
  client.disconnect()
})
