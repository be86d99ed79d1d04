import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisStore } from '../../src/redis/index.ts'
import { storeContract } from '../../src/testing/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { sharedRedisUrl } from '../shared-redis.ts'

const contract = storeContract({ open: context => redisStore(sharedRedisUrl(), { breaker: false }).open(context) })

describe('the Redis store, each client on connections of its own', () => {
  it.concurrent.each(contract.map(each => [each.name, each.run] as const))('%s', async (_, run) => {
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('the Redis store, clients sharing connections', () => {
  const store = redisStore(sharedRedisUrl(), { breaker: false })
  const shared = storeContract({ open: context => store.open(context) })
  it.concurrent.each(shared.map(each => [each.name, each.run] as const))('%s', async (_, run) => {
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('the Redis store on a server that runs out of memory', () => {
  let server: RedisServer
  let admin: Redis
  beforeAll(async () => {
    server = await startRedis()
    admin = new Redis(server.url)
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })

  const cases = storeContract({
    open: context => redisStore(server.url, { breaker: false }).open(context),
    full: {
      fill: async () => void (await admin.config('SET', 'maxmemory', '1')),
      drain: async () => void (await admin.config('SET', 'maxmemory', '0')),
    },
  }).filter(({ name }) => name.startsWith('full'))
  it.each(cases.map(each => [each.name, each.run] as const))('%s', async (_, run) => {
    await expect(run()).resolves.toBeUndefined()
  })
})
