import { afterAll, beforeAll, expect, it } from 'vitest'
import { sharedRedisUrl } from '../shared-redis.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { forgetEverywhere } from './scenarios.ts'

let fleet: Fleet
beforeAll(async () => {
  fleet = await startFleet({ processes: 4, redisUrl: sharedRedisUrl() })
})
afterAll(() => fleet.stop())

it('what one process deletes is gone from the local tier of every other', async () => {
  const cache = await fleet.open({ local: { mode: 'trust' } })
  const { goneAfterMs } = await forgetEverywhere(cache, 10)
  expect(goneAfterMs).toHaveLength(10)
  await cache.close()
})
