import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { until } from '../fleet/until.ts'
import { ownNamespace } from '../shared-redis.ts'
import { FaultProxy } from './fault-proxy.ts'
import { OwnRedis } from './own-redis.ts'

// Long enough for all that happens while a command is on its way.
const commandTimeout = 1500
let redis: OwnRedis
let proxy: FaultProxy
let lost: Cache
let other: Cache

async function open(namespace: string, url: string): Promise<Cache> {
  const cache = createCache({ namespace, store: redisStore(url), commandTimeout })
  // Every script is known from here on.
  await cache.getOrSet('warm-up', () => 'warm', { forceFresh: true })
  await cache.set('warm-up', 'warm')
  await cache.delete('warm-up')
  return cache
}

beforeEach(async () => {
  redis = await OwnRedis.start()
  proxy = await FaultProxy.start(redis.port)
  const namespace = ownNamespace()
  lost = await open(namespace, proxy.url)
  other = await open(namespace, redis.url)
})
afterEach(async () => {
  proxy.release()
  await Promise.all([lost.close(), other.close()])
  await proxy[Symbol.asyncDispose]()
  await redis.stop()
})

describe('a command whose connection is lost while it is on its way', () => {
  it('is over when its call has settled: a put that arrives later does not bring back what was deleted since', async () => {
    proxy.hold('requests')
    const setting = lost.set('key', 'delayed').catch((error: unknown) => error)
    await until(() => proxy.held > 0, 'the put to be held')
    proxy.hangUp()
    await setting
    await other.delete('key')
    proxy.release()
    await until(() => proxy.abandoned === 0, 'the server to have read everything')
    expect(await other.get('key')).toBeUndefined()
  })
})
