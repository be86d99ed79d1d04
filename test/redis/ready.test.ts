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
    return await cache.ready()
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

  it('refuses a timeout that is none', async () => {
    const cache = createCache({ namespace: 'embedded' })
    await expect(cache.ready('1h')).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'timeout' })
    await cache.close()
  })
})
