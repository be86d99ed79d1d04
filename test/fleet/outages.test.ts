import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { ownNamespace } from '../shared-redis.ts'
import { startRedis, type RedisServer } from '../redis-server.ts'
import { until } from './until.ts'

const callers = 50
let redis: RedisServer
let namespace: string
const caches: Cache[] = []

/** A cache with connections of its own, as another process would have. */
async function open(): Promise<Cache> {
  const cache = createCache({ namespace, store: redisStore(redis.url), lease: '1s', closeTimeout: 0 })
  caches.push(cache)
  await cache.getOrSet('warm-up', () => 'warm')
  return cache
}

beforeEach(async () => {
  redis = await startRedis()
  namespace = ownNamespace()
})
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
  await redis.stop()
})

/** A loader that counts how often it runs and ends when told to. */
function slowSource(): { readonly load: () => Promise<string>; readonly loads: () => number; readonly finish: () => void } {
  let loads = 0
  let finish = (): void => {}
  const finished = new Promise<void>(resolve => (finish = resolve))
  const load = async (): Promise<string> => {
    loads++
    await finished
    return 'loaded'
  }
  return { load, loads: () => loads, finish }
}

function callMany(cache: Cache, key: string, load: () => Promise<string>): Promise<string[]> {
  return Promise.all(Array.from({ length: callers }, () => cache.getOrSet(key, load)))
}

const everyone = Array<string>(callers).fill('loaded')

describe.each(['SIGKILL', 'SIGSTOP'] as const)(
  'after %s of Redis every call is answered by the loader, which callers share',
  signal => {
    it('when it happens before the call', async () => {
      const cache = await open()
      const { load, loads, finish } = slowSource()
      process.kill(redis.pid, signal)
      const calls = callMany(cache, 'key', load)
      await until(() => loads() > 0, 'the loader to begin')
      finish()
      expect(await calls).toEqual(everyone)
      expect(loads()).toBe(1)
    })

    it('when it happens while the loader runs', async () => {
      const cache = await open()
      const { load, loads, finish } = slowSource()
      const calls = callMany(cache, 'key', load)
      await until(() => loads() > 0, 'the loader to begin')
      process.kill(redis.pid, signal)
      finish()
      expect(await calls).toEqual(everyone)
      expect(loads()).toBe(1)
    })

    it('when it happens while another process loads: each process loads once', async () => {
      const [holder, waiter] = [await open(), await open()]
      const { load, loads, finish } = slowSource()
      const held = callMany(holder, 'key', load)
      await until(() => loads() > 0, 'the loader to begin')
      const waiting = callMany(waiter, 'key', load)
      process.kill(redis.pid, signal)
      await until(() => loads() > 1, 'the waiting process to go its own way')
      finish()
      expect(await held).toEqual(everyone)
      expect(await waiting).toEqual(everyone)
      expect(loads()).toBe(2)
    })
  },
)

describe('after an outage', () => {
  it('values are stored again when a paused Redis goes on', async () => {
    const cache = await open()
    process.kill(redis.pid, 'SIGSTOP')
    expect(await cache.getOrSet('key', () => 'during')).toBe('during')
    process.kill(redis.pid, 'SIGCONT')
    await until(async () => {
      await cache.getOrSet('key', () => 'after')
      return (await cache.get('key')) === 'after'
    }, 'a value to be stored')
  })

  it('values are stored again when another Redis takes the place of one that was killed', async () => {
    const cache = await open()
    await redis.stop()
    expect(await cache.getOrSet('key', () => 'during')).toBe('during')
    redis = await startRedis({ port: redis.port })
    await until(async () => {
      await cache.getOrSet('key', () => 'after')
      return (await cache.get('key')) === 'after'
    }, 'a value to be stored')
  })

  it('a value that was loaded without a lease is never stored', async () => {
    const cache = await open()
    const { load, loads, finish } = slowSource()
    process.kill(redis.pid, 'SIGSTOP')
    const call = cache.getOrSet('key', load)
    await until(() => loads() > 0, 'the loader to begin')
    process.kill(redis.pid, 'SIGCONT')
    finish()
    expect(await call).toBe('loaded')
    const other = await open()
    expect(await other.get('key')).toBeUndefined()
  })
})
