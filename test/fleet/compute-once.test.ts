import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedRedisUrl } from '../shared-redis.ts'
import { CommandWatch } from './command-watch.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { coldKey } from './scenarios.ts'

const leaseMs = 1000
const runs = 3
let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet({ processes: 10, redisUrl: sharedRedisUrl() })
})
afterAll(() => fleet.stop())

describe('a cold key is computed once', () => {
  it.each([200, 3000])('6 processes × 50 callers, a loader of %i ms: 1 load', async takesMs => {
    const cache = await fleet.open({ lease: leaseMs }, { processes: 6 })
    for (let run = 0; run < (takesMs > 1000 ? 1 : runs); run++) {
      const { loads, answers } = await coldKey(cache, { callers: 50, takesMs })
      expect({ loads, answers }).toEqual({ loads: 1, answers: { 'source-0': 300 } })
    }
    await cache.close()
  })

  it('10 processes × 1,000 reads of one key: 1 load', async () => {
    const cache = await fleet.open()
    const { loads, answers } = await coldKey(cache, { callers: 1000, takesMs: 200 })
    expect({ loads, answers }).toEqual({ loads: 1, answers: { 'source-0': 10_000 } })
    await cache.close()
  })

  it('a loader that fails runs once per process, not once per caller', async () => {
    const cache = await fleet.open({}, { processes: 6 })
    const answers = await cache.readEverywhere('failing', { takesMs: 50, ends: 'error' }, { times: 50 })
    expect(answers.filter(answer => answer.error === 'the source failed')).toHaveLength(300)
    expect(cache.loadsOf('failing').length).toBeLessThanOrEqual(6)
    await cache.close()
  })

  it('waiters are woken when the load ends: they do not wait for the end of the lease', { timeout: 20_000 }, async () => {
    const cache = await fleet.open({ lease: '1m' }, { processes: 6 })
    await using commands = await CommandWatch.start(fleet.redisUrl, cache.namespace)
    const { loads, answers } = await coldKey(cache, { callers: 50, takesMs: 500 })
    expect({ loads, answers }).toEqual({ loads: 1, answers: { 'source-0': 300 } })
    // Each process asks for the lease, and those that waited once more for the value.
    expect((await commands.take())['acquire']).toBeLessThanOrEqual(6 + 5)
    await cache.close()
  })

  it('waiters do not poll: one acquire per process for each remaining lease', async () => {
    const processes = 6
    const takesMs = 3000
    const cache = await fleet.open({ lease: leaseMs }, { processes })
    await using commands = await CommandWatch.start(fleet.redisUrl, cache.namespace)
    const { loads } = await coldKey(cache, { callers: 50, takesMs })
    const counts = await commands.take()
    // A renewal every third keeps the lease between two thirds and a whole, so a waiter looks again at most every two thirds of it: once at the
    // beginning, once for each, and once when it is woken at the end.
    const looks = 2 + Math.ceil(takesMs / (leaseMs * (2 / 3)))
    expect(loads).toBe(1)
    expect(counts['acquire']).toBeGreaterThanOrEqual(processes)
    expect(counts['acquire']).toBeLessThanOrEqual(processes * looks)
    // One batch of reads for the 50 callers of each process, before anyone waits; then the namespace record beside each acquire.
    const { get = 0, mget = 0, stamp = 0, ...others } = counts
    // It is made when it is missing.
    expect(stamp).toBeLessThanOrEqual(processes)
    expect(get + mget).toBeLessThanOrEqual(processes * (1 + looks))
    expect(counts['commit']).toBe(1)
    const renewals = Math.ceil(takesMs / (leaseMs / 3))
    expect(counts['renew']).toBeLessThanOrEqual(renewals)
    expect(Object.keys(others).toSorted()).toEqual(['acquire', 'commit', 'renew'])
    await cache.close()
  })
})
