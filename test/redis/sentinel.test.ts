import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { Redis, type RedisOptions } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache, type Cache, type StoreError } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { startSentinel, type Sentinel } from '../sentinel.ts'
import { ownNamespace } from '../shared-redis.ts'
import { freePort } from '../../scripts/start-redis.ts'
import { until } from './fixture.ts'
import { leaseholdWarnings } from './warnings.ts'

describe('behind a Sentinel', { timeout: 60_000 }, () => {
  let primary: RedisServer
  let replica: RedisServer
  let sentinel: Sentinel
  let watching: Redis
  let cache: Cache

  beforeAll(async () => {
    primary = await startRedis()
    replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] })
    sentinel = await startSentinel('primary', primary.port)
    watching = new Redis(replica.url)
    await until(async () => (await watching.info('replication')).includes('master_link_status:up'))
    await until(() => sentinel.knowsReplica())
    const target = { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'primary' }
    cache = createCache({ namespace: ownNamespace(), store: redisStore(target), commandTimeout: '1s', storeBudget: '2s' })
  }, 60_000)

  afterAll(async () => {
    await cache.close()
    watching.disconnect()
    await Promise.all([sentinel.stop(), replica.stop(), primary.stop()])
  })

  /** How many entries the server has that was the replica. */
  async function storedValues(): Promise<number> {
    return (await watching.keys('*:v:*')).length
  }

  it('a cache finds the primary, and the one that takes over; what was acknowledged lately is told to that one', async () => {
    const changes: string[] = []
    cache.on('journal', ({ change, count }) => changes.push(`${change} ${count}`))
    expect(await cache.set('k', 'before')).toBe('applied')
    expect(await cache.delete('gone')).toBe('applied')
    await until(async () => (await storedValues()) === 1)
    await primary.stop()
    await until(async () => (await watching.info('replication')).includes('role:master'))
    await until(() => cache.status().store === 'up')
    await until(() => cache.status().deferredInvalidations === 0)
    expect(changes).toEqual(['doubted 2', 'replayed 2'])
    expect(await cache.set('k', 'after')).toBe('applied')
    expect(await cache.get('k')).toBe('after')
    expect(await storedValues()).toBe(1)
  })
})

const versions: readonly (readonly [name: string, create: (options: RedisOptions) => Redis])[] = [
  ['ioredis 6', options => new Redis({ lazyConnect: true }).duplicate(options)],
  ['ioredis 5', options => (new Redis5({ lazyConnect: true }) as unknown as Redis).duplicate(options)],
]

describe.each(versions)('Sentinels that name no primary from the start, over %s', (version, create) => {
  const password = 'secret-1'
  let primary: RedisServer
  let sentinel: Sentinel
  let mute: Server
  beforeAll(async () => {
    primary = await startRedis()
    sentinel = await startSentinel('primary', primary.port, { password })
    mute = createServer(() => {}).listen(0, '127.0.0.1')
    await once(mute, 'listening')
  })
  afterAll(async () => {
    mute.close()
    await Promise.all([sentinel.stop(), primary.stop()])
  })

  const own = (): { host: string; port: number } => ({ host: '127.0.0.1', port: sentinel.port })
  const gone = { host: '127.0.0.1', port: 1 }
  const wrong: readonly (readonly [what: string, options: () => RedisOptions, code: string, message: RegExp])[] = [
    ['all are gone', () => ({ sentinels: [gone, gone] }), 'STORE_UNAVAILABLE', /no Sentinel answers/],
    [
      'they say nothing',
      () => ({ sentinels: [{ host: '127.0.0.1', port: (mute.address() as AddressInfo).port }], sentinelCommandTimeout: 100 }),
      'STORE_UNAVAILABLE',
      /no Sentinel answers/,
    ],
    [
      'the password is wrong',
      () => ({ sentinels: [own()], sentinelPassword: 'secret-2' }),
      'STORE_REFUSED',
      /WRONGPASS; are sentinel/,
    ],
    ['the password is missing', () => ({ sentinels: [own()] }), 'STORE_REFUSED', /NOAUTH; are sentinel/],
    [
      'one is gone and one refuses',
      () => ({ sentinels: [gone, own()], sentinelPassword: 'secret-2' }),
      'STORE_UNAVAILABLE',
      /a Sentinel refused the connection, WRONGPASS/,
    ],
    [
      'the name is unknown',
      () => ({ sentinels: [own()], sentinelPassword: password, name: 'another' }),
      'STORE_UNAVAILABLE',
      /no Sentinel knows a primary of this name/,
    ],
  ]

  it.each(wrong)('are told and warned of once, and not waited for: %s', async (_, options, code, text) => {
    const warnings = leaseholdWarnings()
    const client = create({ lazyConnect: true, name: 'primary', ...options() })
    const namespace = ownNamespace()
    const cache = createCache({ namespace, store: redisStore(client), commandTimeout: '30s', storeBudget: '1m' })
    const changes: string[] = []
    cache.on('connection', ({ part, state }) => changes.push(`${part} ${state}`))
    const message = expect.stringMatching(text) as string
    await expect(cache.ready('500ms')).rejects.toMatchObject({ code, message })
    // Were they waited for, it would be for the command timeout.
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    const deleted = await cache.delete('k').catch((error: StoreError) => error.code)
    expect(deleted).toBe(code === 'STORE_REFUSED' ? code : 'deferred')
    await until(() => changes.length === 2)
    expect(changes.toSorted()).toEqual(['bus down', 'store down'])
    expect(cache.status().store).toBe('down')
    expect(warnings).toEqual([message])
    expect(warnings.join()).not.toMatch(/secret-/)
    await cache.close()
  })

  it.runIf(version === 'ioredis 6')('are used when they come, and nothing piles up meanwhile', async () => {
    const warned: string[] = []
    const onWarning = ({ name }: Error): void => void warned.push(name)
    process.on('warning', onWarning)
    const port = await freePort()
    const target = { sentinels: [{ host: '127.0.0.1', port }], name: 'primary' }
    const first = await startSentinel('primary', primary.port, { port })
    const cache = createCache({
      namespace: ownNamespace(),
      store: redisStore(create({ ...target, lazyConnect: true })),
    })
    await cache.ready('10s')
    await first.stop()
    const watching = new Redis(primary.url)
    await watching.call('CLIENT', 'KILL', 'TYPE', 'normal')
    await until(() => cache.status().store === 'down')
    const rounds = performance.now() + 3_000
    await until(() => performance.now() > rounds)
    const back = await startSentinel('primary', primary.port, { port })
    await cache.ready('10s')
    expect(warned).not.toContain('MaxListenersExceededWarning')
    process.off('warning', onWarning)
    await cache.close()
    watching.disconnect()
    await back.stop()
  })
})
