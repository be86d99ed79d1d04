import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisStore } from '../../src/redis/index.ts'
import { storeContract } from '../../src/testing/index.ts'
import { refusalsOf } from '../redis/acl-log.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'

let server: RedisServer
let admin: Redis
let url: string

beforeAll(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
  const rules = /^ACL SETUSER leasehold reset (on [\s\S]*?)^```$/m.exec(readFileSync('docs/security.md', 'utf8'))?.[1] ?? ''
  // The namespaces of the contract are its own.
  await admin.call('ACL', 'SETUSER', 'contract', 'reset', ...rules.replaceAll('shop', '*').trim().split(/\s+/))
  url = `${server.url.replace('//', '//contract:password@')}?keyPrefix=app:`
})
afterAll(async () => {
  admin.disconnect()
  await server.stop()
})

describe('the Redis store as the user of docs/security.md', () => {
  const contract = storeContract({ open: context => redisStore(url, { breaker: false }).open(context) })
  it.concurrent.each(contract.map(each => [each.name, each.run] as const))('%s', async (_, run) => {
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('meanwhile', () => {
  it('the server has refused it nothing', async () => {
    expect(await refusalsOf(admin)).toEqual([])
  })
})
