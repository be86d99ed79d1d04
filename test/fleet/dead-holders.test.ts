import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedRedisUrl } from '../shared-redis.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { killedHolder } from './scenarios.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet({ processes: 4, redisUrl: sharedRedisUrl() })
})
afterAll(() => fleet.stop())

describe('nobody waits on a corpse', () => {
  it('when the holder is killed one of the waiters loads, and all of them are answered', async () => {
    const cache = await fleet.open()
    const { loads, answers } = await killedHolder(cache, fleet.redisUrl, 20)
    expect({ loads, answers }).toEqual({ loads: 2, answers: { 'source-0': 60 } })
    await cache.close()
  })
})
