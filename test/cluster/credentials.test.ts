import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisCluster, startCluster } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'
import { until } from '../redis/fixture.ts'

const [first, second] = ['sentinel-first-4c1d', 'sentinel-second-9e7b'] as const

let cluster: RedisCluster
let admins: Redis[]
beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 })
  admins = cluster.nodes.map(({ url }) => new Redis(url))
})
afterAll(async () => {
  for (const admin of admins) admin.disconnect()
  await cluster.stop()
})
beforeEach(() => everywhere('ACL', 'SETUSER', 'app', 'reset', 'on', `>${first}`, '~*', '&*', '+@all'))

async function everywhere(command: string, ...args: string[]): Promise<void> {
  await Promise.all(admins.map(admin => admin.call(command, ...args)))
}

const seeds = (): { host: string; port: number }[] => cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))

/** Who is connected under a name of Leasehold's, and as which user. */
async function connections(): Promise<string[]> {
  const lists = await Promise.all(admins.map(admin => admin.call('CLIENT', 'LIST')))
  return lists.flatMap(list =>
    [...String(list).matchAll(/ name=\S*leasehold:\S+?:(\w+)\S* .* user=(\w+) /g)].map(([, name, user]) => `${name} ${user}`),
  )
}

describe.each([
  ['ioredis 6', () => new Cluster(seeds(), { lazyConnect: true })],
  ['ioredis 5', () => new Cluster5(seeds(), { lazyConnect: true }) as unknown as Cluster],
] as const)('credentials as a function in a cluster, over %s', (_, create) => {
  it('log in every connection, and those that come after the secret was changed', async () => {
    let password: string = first
    const client = create()
    const store = redisStore(client, { credentials: () => Promise.resolve({ username: 'app', password }) })
    const cache = createCache({ namespace: ownNamespace(), store, commandTimeout: '2s' })
    await cache.ready()
    await until(async () => (await connections()).filter(name => !name.startsWith('topology')).length === 7)
    expect(new Set((await connections()).map(name => name.split(' ')[1]))).toEqual(new Set(['app']))
    password = second
    await everywhere('ACL', 'SETUSER', 'app', 'resetpass', `>${second}`)
    await everywhere('CLIENT', 'KILL', 'USER', 'app')
    await until(() => cache.status().store === 'down')
    await until(() => cache.status().store === 'up' && cache.status().bus === 'up')
    for (let index = 0; index < 12; index++) expect(await cache.set(`k${index}`, index)).toBe('applied')
    // The owners are learnt by new connections too.
    await everywhere('CLIENT', 'KILL', 'USER', 'app')
    await until(async () => (await connections()).filter(name => name === 'scripts app').length === 3)
    await cache.close()
    client.disconnect()
  })

  it('that fail are a typed error at the start, and asked again', async () => {
    const client = create()
    let sealed = true
    const store = redisStore(client, {
      credentials: () => {
        if (sealed) throw new Error(first)
        return { username: 'app', password: first }
      },
    })
    const cache = createCache({ namespace: ownNamespace(), store, commandTimeout: '2s' })
    const refusal: unknown = await cache.ready().catch((error: unknown) => error)
    expect(refusal).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/credentials\(\) failed \(Error\)/) as string,
    })
    expect(String(refusal)).not.toContain(first)
    sealed = false
    await until(() => cache.status().store === 'up')
    expect(await cache.set('k', 1)).toBe('applied')
    await cache.close()
    client.disconnect()
  })
})
