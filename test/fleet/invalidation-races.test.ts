import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedRedisUrl } from '../shared-redis.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { invalidateDuringLoad, stoppedHolder, type Invalidation, type Origin } from './scenarios.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet({ processes: 3, redisUrl: sharedRedisUrl() })
})
afterAll(() => fleet.stop())

const cases: readonly [Invalidation, Origin][] = [
  ['delete', 'the same process'],
  ['delete', 'another process'],
  ['set', 'the same process'],
  ['set', 'another process'],
  ['expire', 'the same process'],
  ['expire', 'another process'],
]

describe('a value loaded before an invalidation is never an answer after it', () => {
  it.each(cases)('%s by %s while the loader runs: 0 outdated reads', async (invalidation, origin) => {
    const cache = await fleet.open()
    const each = 25
    const { reads, outdated, failures } = await invalidateDuringLoad(cache, invalidation, origin, each)
    expect({ reads, outdated, failures }).toEqual({ reads: each * 3 * 3, outdated: 0, failures: 0 })
    await cache.close()
  })

  it('a holder that is stopped past its lease does not overwrite what was stored meanwhile', async () => {
    const cache = await fleet.open({ lease: 100 })
    const each = 10
    for (let round = 0; round < 2; round++) {
      const { reads, outdated, lost } = await stoppedHolder(cache, fleet.redisUrl, each)
      expect({ reads, outdated, lost }).toEqual({ reads: each * 3, outdated: 0, lost: each })
    }
    await cache.close()
  })
})
