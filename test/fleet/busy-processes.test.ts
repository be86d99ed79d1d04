import { afterEach, describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { DelayProxy } from './delay-proxy.ts'
import { until } from './until.ts'

const opened: Cache[] = []

function open(url: string, outcomes: string[]): Cache {
  const cache = createCache({ namespace: ownNamespace(), store: redisStore(url), lease: '30s' })
  cache.on('miss', ({ outcome }) => outcomes.push(outcome))
  opened.push(cache)
  return cache
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map(cache => cache.close()))
})

/** Keeps the event loop busy, as starting up or other work does. */
function burn(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('a process that is busy still loads under the lease', () => {
  it('when the first answers of Redis, its time among them, came late', async () => {
    await using proxy = await DelayProxy.start(sharedRedisUrl())
    const outcomes: string[] = []
    proxy.hold('replies', 'TIME')
    const cache = open(proxy.url, outcomes)
    await until(() => proxy.heldChunks > 0, 'the first sample of the time')
    burn(300)
    proxy.release()
    await until(() => cache.has('connected').then(() => true), 'the connection')
    expect(await cache.getOrSet('key', () => 'value')).toBe('value')
    expect(outcomes).toEqual(['loaded'])
  })

  it('when other calls of the same tick keep it from sending', async () => {
    const outcomes: string[] = []
    const cache = open(sharedRedisUrl(), outcomes)
    const hits = Array.from({ length: 200 }, (_, index) => `hit-${index}`)
    await Promise.all(hits.map(key => cache.set(key, 'stored')))
    const miss = cache.getOrSet('key', () => 'value')
    const busy = hits.map(key => cache.get(key).then(() => burn(2)))
    await Promise.all([miss, ...busy])
    expect(outcomes).toEqual(['loaded'])
    expect(await cache.get('key')).toBe('value')
  })
})

describe('a process that writes as it starts', () => {
  it('waits for its first connection longer than a command may take', async () => {
    await using proxy = await DelayProxy.start(sharedRedisUrl())
    proxy.hold('replies', 'TIME')
    const cache = open(proxy.url, [])
    const written = Promise.all([cache.set('key', 'value'), cache.delete('other')])
    await until(() => proxy.heldChunks > 0, 'the first sample of the time')
    burn(150)
    await new Promise(resolve => setImmediate(resolve))
    proxy.release()
    await written
    expect(await cache.get('key')).toBe('value')
  })
})
