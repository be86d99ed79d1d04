import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { startSentinel, type Sentinel } from '../sentinel.ts'
import { ownNamespace } from '../shared-redis.ts'
import { until } from './fixture.ts'

describe('behind a Sentinel', { timeout: 60_000 }, () => {
  let primary: RedisServer
  let replica: RedisServer
  let sentinel: Sentinel
  let watching: Redis
  let cache: Cache

  beforeAll(async () => {
    primary = await startRedis()
    replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] })
    sentinel = await startSentinel('primary', primary.port)
    watching = new Redis(replica.url)
    await until(async () => (await watching.info('replication')).includes('master_link_status:up'))
    await until(() => sentinel.knowsReplica())
    const target = { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'primary' }
    cache = createCache({ namespace: ownNamespace(), store: redisStore(target), commandTimeout: '1s', storeBudget: '2s' })
  }, 60_000)

  afterAll(async () => {
    await cache.close()
    watching.disconnect()
    await Promise.all([sentinel.stop(), replica.stop(), primary.stop()])
  })

  /** How many entries the server has that was the replica. */
  async function storedValues(): Promise<number> {
    return (await watching.keys('*:v:*')).length
  }

  it('a cache finds the primary, and the one that takes over; what was acknowledged lately is told to that one', async () => {
    const changes: string[] = []
    cache.on('journal', ({ change, count }) => changes.push(`${change} ${count}`))
    expect(await cache.set('k', 'before')).toBe('applied')
    expect(await cache.delete('gone')).toBe('applied')
    await until(async () => (await storedValues()) === 1)
    await primary.stop()
    await until(async () => (await watching.info('replication')).includes('role:master'))
    await until(() => cache.status().store === 'up')
    await until(() => cache.status().deferredInvalidations === 0)
    expect(changes).toEqual(['doubted 2', 'replayed 2'])
    expect(await cache.set('k', 'after')).toBe('applied')
    expect(await cache.get('k')).toBe('after')
    expect(await storedValues()).toBe(1)
  })
})
