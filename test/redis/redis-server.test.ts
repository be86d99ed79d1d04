import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { startCluster, startRedis } from '../redis-server.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'

describe('the servers that tests run on', () => {
  it('share one that answers', async () => {
    await using client = new Client(sharedRedisUrl())
    const key = `${ownNamespace()}:probe`
    await client.redis.set(key, 'here', 'PX', 5000)
    expect(await client.redis.get(key)).toBe('here')
  })

  it('start one of their own, which a paused process does not keep from stopping', async () => {
    const server = await startRedis({ args: ['--maxmemory', '20mb'] })
    process.kill(server.pid, 'SIGSTOP')
    await server.stop()
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
  })

  it('say why a server did not start', async () => {
    await expect(startRedis({ args: ['--maxmemory', 'plenty'] })).rejects.toThrow(/maxmemory/)
  })

  it('form a cluster whose nodes own all slots', async () => {
    const cluster = await startCluster({ primaries: 3 })
    await using client = new Client(cluster.nodes[0]!.url)
    expect(await client.redis.call('CLUSTER', 'SLOTS')).toHaveLength(3)
    await cluster.stop()
  })
})

class Client implements AsyncDisposable {
  readonly redis: Redis
  constructor(url: string) {
    this.redis = new Redis(url, { maxRetriesPerRequest: 1 })
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.redis.disconnect()
  }
}
