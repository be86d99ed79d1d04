import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedRedisUrl } from '../shared-redis.ts'
import { CommandWatch } from './command-watch.ts'
import { startFleet, type Fleet } from './fleet.ts'

const processes = 4
let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet({ processes, redisUrl: sharedRedisUrl() })
})
afterAll(() => fleet.stop())

describe('batches of many processes', () => {
  it('1,000 cold keys, asked for in overlapping sets: each is loaded once, in few loads', async () => {
    // Patient: on a busy machine a lease that is not granted in time would be a load of its own.
    const cache = await fleet.open({ lease: '10s', commandTimeout: '5s', storeBudget: '20s' }, { breaker: false })
    const keys = Array.from({ length: 1_000 }, (_, index) => `cold-${index}`)
    const setOf = (index: number): string[] => [...keys, ...keys].slice(index * 250, index * 250 + 500)
    // A server that does not know a script yet is sent its text.
    await cache.readEverywhere('warm-up', {})
    await using commands = await CommandWatch.start(fleet.redisUrl, cache.namespace)
    const replies = await Promise.all(cache.members.map((member, index) => cache.readMany(member, setOf(index), 200)))
    const counts = await commands.take()
    expect(replies.map(({ values }) => values)).toEqual(replies.map(() => setOf(0).map(() => 'source-0')))
    expect(
      cache
        .loadsOf(...keys)
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(keys.toSorted())
    const loads = replies.flatMap(reply => reply.loads)
    expect(loads.reduce((sum, size) => sum + size, 0)).toBe(1_000)
    // One for what a process was granted at once. Only a key whose holder had to give it up could come later.
    expect(loads.length).toBeLessThanOrEqual(processes)
    expect(counts['commit']).toBe(1_000)
    // The keys, and then the namespace record beside the acquires that leave together: far fewer than keys.
    expect(counts['mget']).toBeLessThan(keys.length / 4)
    await cache.close()
  })
})
