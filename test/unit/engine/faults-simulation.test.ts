import { describe, expect, it } from 'vitest'
import { lostReply, lostRequest, refused, slow, twice, type ChaosScript, type Fault } from '../../../src/testing/chaos-store.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { openFleet, watch } from './stage.ts'

const commandTimeoutMs = 50
const hardTimeoutMs = 500
/** A read to decide, the store budget, a read for a stand-in, and one hard timeout. */
const longestMs = hardTimeoutMs + 2 * commandTimeoutMs + 2 * 125

interface Trouble {
  readonly stale: string[]
  readonly slow: number[]
}

/**
 * Readers and writers over a store that refuses, loses, delays beyond every timeout and repeats commands, loses wake-ups and its bus, with loaders
 * that fail and hang and callers that leave. Answers that the store vouched for must not be older than what was acknowledged before the call.
 */
async function live(seed: number): Promise<Trouble> {
  const random = seededRandom(seed)
  const upTo = (most: number): number => Math.floor(random.next() * most)
  const faults: readonly (() => Fault)[] = [refused, lostRequest, lostReply, () => slow(upTo(400), upTo(100)), twice]
  const network: ChaosScript = ({ command }) => {
    const share = random.next()
    if (share < 0.6 || (command === 'wake' && share < 0.8)) return slow(upTo(10), command === 'wake' ? 0 : upTo(10))
    // A read or a lease granted twice is nothing that a client does.
    const fault = faults[upTo(faults.length)]!()
    return fault.kind === 'twice' && (command === 'read' || command === 'acquire') ? lostRequest() : fault
  }
  const fleet = openFleet(
    {
      ttl: '150ms',
      refresh: 'xfetch',
      staleWhileRevalidate: '100ms',
      staleIfError: '1s',
      lease: '100ms',
      commandTimeout: commandTimeoutMs,
      storeBudget: 125,
      timeout: { soft: 200, hard: hardTimeoutMs },
    },
    network,
  )
  const { caches, clock, sleep, store, until } = fleet
  const trouble: Trouble = { stale: [], slow: [] }
  let written = 0
  let acknowledged = 0

  const readRow = async (): Promise<number | undefined> => {
    const version = written
    const share = random.next()
    if (share < 0.05) return new Promise(() => {})
    await sleep(upTo(80))
    if (share < 0.15) throw new Error('the source is down')
    return share < 0.2 ? undefined : version
  }
  const reader = async (client: number): Promise<void> => {
    const outages = watch(caches[client]!, 'miss', 'stale')
    for (let turn = 0; turn < 15; turn++) {
      await sleep(upTo(60))
      const began = clock.now()
      const oldest = acknowledged
      outages.length = 0
      const leaving = new AbortController()
      if (random.next() < 0.1) clock.setTimeout(() => leaving.abort('left'), upTo(100))
      const options = { forceFresh: random.next() < 0.1, signal: leaving.signal }
      const version = await caches[client]!.getOrSet('k', readRow, options).catch(() => undefined)
      if (clock.now() - began > longestMs) trouble.slow.push(clock.now() - began)
      const vouched = outages.every(
        record => record.event === 'miss' && record.outcome !== 'unleased' && record.outcome !== 'kept',
      )
      if (vouched && version !== undefined && version < oldest) trouble.stale.push(`${version} after ${oldest}`)
    }
  }
  // One after the other, since nothing is promised about a value that was computed before a change by someone else.
  const writer = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) {
      await sleep(upTo(50))
      const version = ++written
      const cache = caches[upTo(3)]!
      const change = random.next() < 0.6 ? cache.delete('k') : cache.set('k', version)
      const changed = await change.then(
        outcome => outcome === 'applied',
        () => false,
      )
      if (changed) acknowledged = version
      if (random.next() < 0.2) store.setBus(random.next() < 0.5)
    }
  }
  await until(Promise.all([reader(0), reader(1), reader(2), writer()]))
  await until(Promise.all(caches.map(cache => cache.close())))
  await clock.advance(10_000)
  expect(clock.pendingTimers).toBe(0)
  return trouble
}

describe('whatever the store and the source do, calls settle in time, nothing vouched for is stale, and nothing is left running', () => {
  it.each(Array.from({ length: 5 }, (_, index) => index * 20))('over 20 histories from seed %i', async first => {
    for (let seed = first; seed < first + 20; seed++) expect(await live(seed), `seed ${seed}`).toEqual({ stale: [], slow: [] })
  })
})
