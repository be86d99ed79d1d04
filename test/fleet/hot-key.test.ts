import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedRedisUrl } from '../shared-redis.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { hotKey } from './scenarios.ts'

const forMs = 4000
const load = { perSecond: 500, forMs, takesMs: 100 }
let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet({ processes: 6, redisUrl: sharedRedisUrl() })
})
afterAll(() => fleet.stop())

// A machine that stops a process for longer than the refresh has left makes a caller wait: that is not what is tested, so it may try again.
describe('a hot key that expires every second, 500 reads a second from 6 processes', { retry: 2 }, () => {
  it('is refreshed once per expiry behind staleWhileRevalidate, and nobody waits after the cold start', async () => {
    const cache = await fleet.open({ ttl: '1s', staleWhileRevalidate: '10s', refresh: false })
    const { loads, misses, failures } = await hotKey(cache, load)
    expect({ misses, failures }).toEqual({ misses: 0, failures: 0 })
    // From one load to the next: the load itself and a ttl that the jitter shortens by a tenth at most, so a second or more.
    expect(loads).toBeLessThanOrEqual(1 + forMs / 1000)
    expect(loads).toBeGreaterThan(1)
    await cache.close()
  })

  it('is refreshed early by xfetch alone, and nobody waits after the cold start', async () => {
    const cache = await fleet.open({ ttl: '1s', jitter: 0, refresh: 'xfetch' })
    const { loads, misses, failures } = await hotKey(cache, load)
    expect({ misses, failures }).toEqual({ misses: 0, failures: 0 })
    // About 0.45 s early, so a load every 0.65 s, with a margin for the luck of the draw; six processes on their own would load 40 times.
    expect(loads).toBeLessThanOrEqual(11)
    expect(loads).toBeGreaterThan(1)
    await cache.close()
  })
})
