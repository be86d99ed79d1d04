import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { collectRedisMetrics } from '../../src/observe/prometheus/index.ts'
import { redisMetrics } from '../../src/observe/prometheus/redis-metrics.ts'
import { startRedis } from '../redis-server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function ownRedis(): Promise<Redis> {
  const server = await startRedis({ args: ['--maxmemory', '64mb', '--maxclients', '77'] })
  const redis = new Redis(server.url, { maxRetriesPerRequest: 0, enableOfflineQueue: true })
  redis.on('error', () => {})
  closing.push(
    () => redis.disconnect(),
    () => server.stop(),
  )
  return redis
}

async function values(registry: Registry): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(lines.map(line => line.split(' ')).map(([name, value]) => [name as string, Number(value)]))
}

describe('metrics of Redis itself', () => {
  it('come from INFO, all of them, asked for once per scrape', async () => {
    const redis = await ownRedis()
    await redis.set('a', 1)
    await redis.get('a')
    await redis.get('b')
    let asked = 0
    const client = { info: () => (asked++, redis.info()) }
    const registry = new Registry()
    collectRedisMetrics(client, { registry })
    const found = await values(registry)
    expect([...found.keys()].toSorted()).toEqual(
      Object.keys(redisMetrics)
        .map(name => `${name}{server="redis"}`)
        .toSorted(),
    )
    const of = (name: keyof typeof redisMetrics): number | undefined => found.get(`${name}{server="redis"}`)
    expect(of('redis_up')).toBe(1)
    expect(of('redis_maxmemory_bytes')).toBe(64 * 1024 * 1024)
    expect(of('redis_maxclients')).toBe(77)
    expect(of('redis_connected_clients')).toBeGreaterThan(0)
    expect(of('redis_used_memory_bytes')).toBeGreaterThan(100_000)
    expect(of('redis_keyspace_hit_ratio')).toBe(0.5)
    expect(asked).toBe(1)
    await values(registry)
    expect(asked).toBe(2)
  })

  it('say no more than that it is down when it does not answer', async () => {
    const registry = new Registry()
    const stop = collectRedisMetrics({ info: () => new Promise(() => {}) }, { registry, server: 'hangs' })
    collectRedisMetrics({ info: () => Promise.reject(new Error('down')) }, { registry, server: 'fails' })
    expect(Object.fromEntries(await values(registry))).toEqual({ 'redis_up{server="hangs"}': 0, 'redis_up{server="fails"}': 0 })
    expect(() => collectRedisMetrics({ info: () => Promise.resolve('') }, { registry, server: 'hangs' })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option: 'server' }),
    )
    stop()
    expect(Object.fromEntries(await values(registry))).toEqual({ 'redis_up{server="fails"}': 0 })
  })
})
