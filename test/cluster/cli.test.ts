import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { runCli } from '../cli-run.ts'
import { type RedisCluster, startCluster } from '../redis-server.ts'

let cluster: RedisCluster
let cache: Cache
let client: Cluster
beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 })
  client = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
  cache = createCache({ namespace: 'shop', store: redisStore(client), commandTimeout: '10s', storeBudget: '20s' })
  for (let i = 0; i < 30; i++) await cache.set(`user:${i}`, { i })
})
afterAll(async () => {
  await cache.close()
  client.disconnect()
  await cluster.stop()
})

describe('the command line and a cluster', () => {
  const cli = (...args: string[]) => runCli(args, { env: { REDIS_URL: cluster.nodes[0]!.url } })

  it('lists the keys of all nodes', async () => {
    const { stdout } = await cli('keys', '-n', 'shop', '--json')
    const { entries, complete } = JSON.parse(stdout) as { entries: unknown[]; complete: boolean }
    expect({ count: entries.length, complete }).toEqual({ count: 30, complete: true })
  })

  it('inspects and deletes keys wherever they are', async () => {
    for (const key of ['user:1', 'user:2', 'user:3', 'user:4']) {
      expect((await cli('inspect', key, '-n', 'shop')).stdout).toMatch(/^value +object with 1 property/m)
    }
    expect((await cli('delete', 'user:1', 'user:2', 'user:3', '-n', 'shop')).exitCode).toBe(0)
    expect(await Promise.all([1, 2, 3, 4].map(i => cache.has(`user:${i}`)))).toEqual([false, false, false, true])
  })

  it('writes, when the doctor is told to', async () => {
    const { stdout } = await cli('doctor', '--write', '--json')
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string }[] }
    expect(findings.find(({ check }) => check === 'write probe')?.state).toBe('ok')
  })
})
