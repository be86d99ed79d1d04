import { describe, expect, it } from 'vitest'
import { slow, type ChaosScript } from '../../../src/testing/chaos-store.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { openFleet } from './stage.ts'

/**
 * A source whose rows are versions, written and then invalidated by random processes while others read through their caches. Commands take random
 * times both ways. A call must never see a version older than the newest one whose invalidation had resolved when the call began.
 */
async function staleAnswers(seed: number): Promise<string[]> {
  const random = seededRandom(seed)
  const upTo = (most: number): number => Math.floor(random.next() * most)
  const network: ChaosScript = ({ command }) =>
    command === 'wake' && random.next() < 0.2 ? slow(Infinity) : slow(upTo(20), upTo(20))
  const { caches, clock, sleep, until } = openFleet({ ttl: '80ms', staleIfError: 0, lease: '100ms' }, network)
  const stale: string[] = []
  let written = 0
  let acknowledged = 0

  const readRow = async (): Promise<number> => {
    const version = written
    await sleep(upTo(60))
    return version
  }
  const reader = async (client: number): Promise<void> => {
    for (let turn = 0; turn < 12; turn++) {
      await sleep(upTo(40))
      const oldest = acknowledged
      const forceFresh = random.next() < 0.2
      const newest = written
      const version = await caches[client]!.getOrSet('k', readRow, { forceFresh })
      if (version < oldest) stale.push(`${version} after ${oldest} was acknowledged`)
      if (forceFresh && version < newest) stale.push(`${version} for a forced call that began at ${newest}`)
    }
  }
  const writer = async (client: number): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) {
      await sleep(upTo(60))
      const version = ++written
      // Written behind the cache's back: only forced calls need to see it.
      if (random.next() < 0.3) continue
      await (random.next() < 0.5 ? caches[client]!.delete('k') : caches[client]!.expire('k'))
      acknowledged = Math.max(acknowledged, version)
    }
  }
  await until(Promise.all([reader(0), reader(0), reader(0), reader(1), reader(1), reader(2), writer(0), writer(2)]))
  expect(clock.now()).toBeGreaterThan(100)
  return stale
}

describe('no answer is older than what was acknowledged before the call', () => {
  it.each(Array.from({ length: 8 }, (_, index) => index * 25))('over 25 schedules from seed %i', async first => {
    for (let seed = first; seed < first + 25; seed++) expect(await staleAnswers(seed), `seed ${seed}`).toEqual([])
  })
})
