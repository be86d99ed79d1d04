import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { acquire, commit, put } from '../../src/redis/scripts.gen.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { CommandWatch } from './command-watch.ts'
import { DelayProxy } from './delay-proxy.ts'
import { StoredState } from './stored-state.ts'
import { until } from './until.ts'

const commandTimeout = 100
const key = 'late'
let namespace: string
let proxy: DelayProxy
let commands: CommandWatch
let stored: StoredState
let delayed: Cache
let other: Cache

/** Uses every script once, so that Redis knows them all and the connections stand. */
async function open(url: string): Promise<Cache> {
  const options: CacheOptions = { namespace, store: redisStore(url), commandTimeout, lease: '30s', ttl: '1m' }
  const cache = createCache(options)
  await cache.getOrSet('warm-up', () => 'warm', { forceFresh: true })
  await cache.set('warm-up', 'warm')
  await cache.delete('warm-up')
  return cache
}

beforeEach(async () => {
  namespace = ownNamespace()
  proxy = await DelayProxy.start(sharedRedisUrl())
  commands = await CommandWatch.start(sharedRedisUrl(), namespace)
  stored = new StoredState(sharedRedisUrl(), namespace)
  delayed = await open(proxy.url)
  other = await open(sharedRedisUrl())
  await commands.take()
})
afterEach(async () => {
  proxy.release()
  await Promise.all([delayed.close(), other.close()])
  await Promise.all([commands, stored, proxy].map(each => each[Symbol.asyncDispose]()))
})

/** Whatever was sent before is refused from now on, by the server's own clock. */
async function deadlinesPass(): Promise<void> {
  const from = await stored.serverNowMs()
  await until(async () => (await stored.serverNowMs()) > from + commandTimeout + 1, 'the deadline to pass')
}

describe('a command that reaches Redis after its caller gave up changes nothing', () => {
  it('an acquire takes no lease', async () => {
    proxy.hold('requests', acquire.sha1)
    // Nobody knows whether the lease was granted, so the call goes without one and stores nothing.
    expect(await delayed.getOrSet(key, () => 'unleased')).toBe('unleased')
    await deadlinesPass()
    proxy.release()
    await commands.untilSeen('acquire')
    await commands.take()
    expect(await stored.leasesHeld([key])).toBe(0)
    expect(await stored.valuesStored([key])).toBe(0)
    expect(await other.getOrSet(key, () => 'next')).toBe('next')
  })

  it('a commit stores nothing, even while its lease still stands', async () => {
    proxy.hold('requests', commit.sha1)
    expect(await delayed.getOrSet(key, () => 'loaded')).toBe('loaded')
    await deadlinesPass()
    expect(await stored.leasesHeld([key])).toBe(1)
    proxy.releaseFirst()
    await commands.untilSeen('commit')
    await commands.take()
    expect(await stored.valuesStored([key])).toBe(0)
  })

  it('a commit does not overwrite what was set meanwhile', async () => {
    proxy.hold('requests', commit.sha1)
    expect(await delayed.getOrSet(key, () => 'loaded')).toBe('loaded')
    await other.set(key, 'newer')
    proxy.release()
    await commands.untilSeen('commit')
    expect(await other.get(key)).toBe('newer')
  })

  it('a commit does not bring back what was deleted meanwhile, in time or not', async () => {
    proxy.hold('requests', commit.sha1)
    const call = delayed.getOrSet(key, () => 'loaded')
    await until(() => proxy.heldChunks > 0, 'the commit to be held')
    await other.delete(key)
    proxy.release()
    await call
    await commands.untilSeen('commit')
    expect(await other.get(key)).toBeUndefined()
  })

  it('a put does not overwrite what was set after it', async () => {
    proxy.hold('requests', put.sha1)
    expect(await delayed.set(key, 'delayed')).toBe('deferred')
    await deadlinesPass()
    await other.set(key, 'newer')
    await commands.take()
    proxy.releaseFirst()
    await commands.untilSeen('put')
    expect(await other.get(key)).toBe('newer')
    // The removals that followed the put are late too; they may remove, never bring back.
    proxy.release()
    await commands.untilSeen('remove')
    expect([undefined, 'newer']).toContain(await other.get(key))
  })
})
