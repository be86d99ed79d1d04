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

describe('the command line and a cluster that has lost a node', () => {
  it('answers from the nodes that live, or says which one does not', { timeout: 60_000 }, async () => {
    const broken = await startCluster({ primaries: 3, args: ['--cluster-node-timeout', '60000'] })
    const nodes = broken.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
    const filling = new Cluster(nodes)
    const filler = createCache({ namespace: 'cl', store: redisStore(filling), commandTimeout: '10s', storeBudget: '20s' })
    for (let i = 0; i < 30; i++) await filler.set(`user:${i}`, { i })
    await filler.close()
    filling.disconnect()
    const [alive, , dead] = broken.nodes as [(typeof broken.nodes)[0], unknown, (typeof broken.nodes)[0]]
    process.kill(dead.pid, 'SIGKILL')
    const env = { REDIS_URL: alive.url }
    try {
      const note = `127.0.0.1:${dead.port}: Redis cannot be reached (ECONNREFUSED); its keys are left out\n`
      for (const args of [['keys'], ['keys', '-n', 'cl']]) {
        const { exitCode, stdout, stderr } = await runCli([...args, '--json'], { env })
        const { complete, entries, namespaces } = JSON.parse(stdout) as Record<string, unknown[]>
        expect({ exitCode, complete }).toEqual({ exitCode: 0, complete: false })
        expect((entries ?? namespaces ?? []).length).toBeGreaterThan(0)
        expect(stderr).toContain(note)
      }
      const told = new Set<string>()
      for (let i = 0; i < 30; i++) {
        const { exitCode, stderr } = await runCli(['inspect', `user:${i}`, '-n', 'cl'], { env })
        if (exitCode === 2) told.add(stderr)
      }
      expect([...told].some(line => line.includes(`127.0.0.1:${dead.port}: Redis cannot be reached`))).toBe(true)
    } finally {
      await broken.stop()
    }
  })
})
