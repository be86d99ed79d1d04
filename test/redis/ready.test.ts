import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache, memoryStore } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis({ args: ['--requirepass', 'secret-1'] })
})
afterAll(() => server.stop())

async function refusalOf(url: string): Promise<unknown> {
  const cache = createCache({ namespace: ownNamespace(), store: redisStore(url) })
  try {
    return await cache.ready('1s')
  } catch (error) {
    return error
  } finally {
    await cache.close()
  }
}

describe('ready', () => {
  it('resolves when Redis can be used, and at once without Redis', async () => {
    expect(await refusalOf(`redis://:secret-1@127.0.0.1:${server.port}`)).toBeUndefined()
    const cache = createCache({ namespace: 'embedded', store: memoryStore() })
    expect(await cache.ready()).toBeUndefined()
    await cache.close()
    await expect(cache.ready()).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
  })

  const wrong: readonly (readonly [what: string, url: () => string, code: string, message: RegExp])[] = [
    ['the address is wrong', () => 'redis://127.0.0.1:1', 'STORE_UNAVAILABLE', /ECONNREFUSED/],
    ['the password is wrong', () => `redis://:secret-2@127.0.0.1:${server.port}`, 'STORE_REFUSED', /WRONGPASS/],
    ['the password is missing', () => `redis://127.0.0.1:${server.port}`, 'STORE_REFUSED', /NOAUTH/],
    ['the database does not exist', () => `redis://:secret-1@127.0.0.1:${server.port}/99`, 'STORE_REFUSED', /DB index/],
    ['the server speaks no TLS', () => `rediss://:secret-1@127.0.0.1:${server.port}`, 'STORE_UNAVAILABLE', /TLS/],
  ]

  it.each(wrong)('says so when %s', async (_, url, code, message) => {
    const refusal = await refusalOf(url())
    expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) as string })
    expect(String(refusal)).not.toMatch(/secret-[12]/)
  })

  it('says what is wrong now, when Redis could be used once: gone, and hanging', async () => {
    const redis = await startRedis()
    const cache = createCache({ namespace: ownNamespace(), store: redisStore(redis.url) })
    await cache.ready()
    process.kill(redis.pid, 'SIGSTOP')
    await expect(cache.ready('200ms')).rejects.toMatchObject({ code: 'STORE_TIMEOUT' })
    await redis.stop()
    await expect(cache.ready('300ms')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED') as string,
    })
    const ready = cache.ready('10s')
    const back = await startRedis({ port: redis.port })
    await expect(ready).resolves.toBeUndefined()
    await cache.close()
    await back.stop()
  })

  it('says what is wrong now, when Redis refuses the user that it took once', async () => {
    const redis = await startRedis()
    const admin = new Redis(redis.url)
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret-1', '~*', '&*', '+@all')
    const cache = createCache({ namespace: ownNamespace(), store: redisStore(`redis://app:secret-1@127.0.0.1:${redis.port}`) })
    await cache.ready()
    await admin.call('ACL', 'SETUSER', 'app', '-mget')
    await expect(cache.ready()).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('mget') as string,
    })
    await admin.call('ACL', 'DELUSER', 'app')
    await expect(cache.ready()).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('WRONGPASS') as string,
    })
    await cache.close()
    admin.disconnect()
    await redis.stop()
  })

  it('ends with the cache that it waits for', async () => {
    const cache = createCache({ namespace: ownNamespace(), store: redisStore('redis://127.0.0.1:1') })
    const [ready] = await Promise.allSettled([cache.ready('1m'), cache.close()])
    expect(ready).toMatchObject({ reason: { code: 'CACHE_CLOSED' } })
  })

  it('refuses a timeout that is none', async () => {
    const cache = createCache({ namespace: 'embedded' })
    await expect(cache.ready('1h')).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'timeout' })
    await cache.close()
  })
})
