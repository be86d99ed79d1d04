import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache, isLeaseholdError, ReplicationError, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'
import { until } from './fixture.ts'

describe('a delete that waits for replicas', { timeout: 30_000 }, () => {
  let primary: RedisServer
  let replica: RedisServer
  let watching: Redis
  let cache: Cache

  beforeAll(async () => {
    primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
    replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] })
    watching = new Redis(replica.url)
    await until(async () => (await watching.info('replication')).includes('master_link_status:up'))
    cache = createCache({ namespace: ownNamespace(), store: redisStore(primary.url), commandTimeout: '2s', storeBudget: '4s' })
    await cache.ready()
  }, 30_000)

  afterAll(async () => {
    process.kill(replica.pid, 'SIGCONT')
    await cache.close()
    watching.disconnect()
    await Promise.all([replica.stop(), primary.stop()])
  })

  const storedAtReplica = async (): Promise<number> => (await watching.keys('*:v:*')).length

  it('resolves once they have it', async () => {
    await cache.set('k', 'v')
    await until(async () => (await storedAtReplica()) === 1)
    expect(await cache.delete('k', { replicas: 1, timeout: '10s' })).toBe('applied')
    expect(await storedAtReplica()).toBe(0)
    // Nothing to remove, and all the same something to wait for.
    expect(await cache.delete('k', { replicas: 1, timeout: '10s' })).toBe('applied')
    expect(await cache.delete(['a', 'b', 'c'], { replicas: 1, timeout: '10s' })).toBe('applied')
  })

  it('says that it is done and how many have confirmed it when one of them stands still; nobody else waits', async () => {
    await cache.set('k', 'v')
    process.kill(replica.pid, 'SIGSTOP')
    try {
      const journal: string[] = []
      cache.on('journal', ({ change }) => journal.push(change))
      const deleting = Array.from({ length: 20 }, () =>
        cache.delete('k', { replicas: 1, timeout: '3s' }).catch((error: unknown) => error),
      )
      let settled = false
      void Promise.all(deleting).then(() => (settled = true))
      expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
      expect(await cache.delete('k')).toBe('applied')
      expect(settled).toBe(false)
      for (const error of await Promise.all(deleting)) {
        expect(error).toBeInstanceOf(ReplicationError)
        expect(isLeaseholdError(error, 'NOT_REPLICATED')).toBe(true)
        expect(error).toMatchObject({ confirmed: 0, key: 'k', option: 'replicas' })
        expect((error as Error).message).toContain('0 of 1 replicas have confirmed it within 3s')
      }
      expect(journal).toEqual([])
    } finally {
      process.kill(replica.pid, 'SIGCONT')
    }
    expect(await cache.delete('k', { replicas: 1, timeout: '20s' })).toBe('applied')
  })

  it('says so when there are not as many', async () => {
    const two = cache.delete('k', { replicas: 2, timeout: '200ms' })
    await expect(two).rejects.toMatchObject({ code: 'NOT_REPLICATED', confirmed: 1 })
    await expect(two).rejects.toThrow('1 of 2 replicas have confirmed it within 200ms; the server has one replica')
  })
})

describe('a delete that would wait for replicas where there are none', () => {
  it('says so', async () => {
    const alone = await startRedis()
    const cache = createCache({ namespace: ownNamespace(), store: redisStore(alone.url), commandTimeout: '2s' })
    await cache.set('k', 'v')
    const deleting = cache.delete('k', { replicas: 1, timeout: 100 })
    await expect(deleting).rejects.toThrow(/"k" is deleted, but 0 of 1 replicas .* the server has no replica/)
    expect(await cache.get('k')).toBeUndefined()
    await cache.close()
    await alone.stop()
  })
})
