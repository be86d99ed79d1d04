import { expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { redisStore, type BreakerOptions } from '../../src/redis/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { until } from './fixture.ts'

it('invalidations are tried while the breaker is open; reads and loads are kept away', async () => {
  const namespace = ownNamespace()
  const breaker: BreakerOptions = { latency: '1ms', decide: () => 'latency', openFor: '1m' }
  const cache = createCache({ namespace, store: redisStore(sharedRedisUrl(), { breaker }), commandTimeout: '2s' })
  const other = createCache({ namespace, store: redisStore(sharedRedisUrl()), commandTimeout: '2s' })
  await other.set('k', 'stored', { tags: ['red'] })
  // One of them takes a millisecond sooner or later.
  await until(async () => {
    await cache.set('opens it', 'x'.repeat(500_000))
    return Object.values(cache.status().breakers).includes('open')
  })
  const commands: string[] = []
  cache.on('store-error', ({ command }) => commands.push(command))
  expect(await cache.get('k')).toBeUndefined()
  expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
  expect(commands).toEqual(['read', 'read'])
  expect(await cache.expire('k')).toBe('applied')
  expect((await other.getEntry('k'))?.fresh).toBe(false)
  expect(await cache.invalidateTags('red')).toBe('applied')
  expect(await other.getEntry('k')).toBeUndefined()
  await other.set('k', 'stored')
  expect(await cache.delete('k')).toBe('applied')
  expect(await other.get('k')).toBeUndefined()
  await other.set('k', 'stored')
  expect(await cache.clear()).toBe('applied')
  expect(await other.get('k')).toBeUndefined()
  await Promise.all([cache.close(), other.close()])
})
