import { expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { startRedis } from '../redis-server.ts'
import { leaseholdWarnings } from '../redis/warnings.ts'
import { ownNamespace } from '../shared-redis.ts'

it('a server of a Cluster that is given by its URL is refused, with what to give instead', async () => {
  const warnings = leaseholdWarnings()
  const server = await startRedis({ cluster: true })
  const cache = createCache({ namespace: ownNamespace(), store: redisStore(server.url) })
  const refusal = {
    code: 'STORE_UNSUPPORTED',
    message: expect.stringContaining('give redisStore an ioredis Cluster client') as string,
  }
  await expect(cache.ready()).rejects.toMatchObject(refusal)
  await expect(cache.delete('k')).rejects.toMatchObject(refusal)
  expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
  expect(cache.status().store).toBe('down')
  expect(warnings).toEqual([refusal.message])
  await cache.close()
  await server.stop()
})
