import { describe, expect, it } from 'vitest'
import type { Random } from '../../../src/core/ports.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { answered, lostRequest, refused, type Fault } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch, type Fleet } from './stage.ts'

/** Reads so near the end that XFetch with this random share surely refreshes; and so far from it that it surely does not. */
const always: Random = { ...seededRandom(7), next: () => 1 - 2 ** -53 }
const never: Random = { ...seededRandom(8), next: () => 0 }

async function storedAfter({ a, source, until }: Fleet, loadMs: number): Promise<void> {
  await until(a.getOrSet('k', source.takes(loadMs)))
}

describe('XFetch', () => {
  it('refreshes behind the caller before the value expires', async () => {
    const fleet = openFleet({ refresh: 'xfetch', ttl: '10s', random: always })
    const { a, b, clock, source } = fleet
    const records = watch(a, 'hit', 'refresh', 'load')
    await storedAfter(fleet, 100)
    await clock.advance(9000)
    expect(await a.getOrSet('k', source.takes(100))).toBe('load 1')
    await clock.advance(100)
    expect(await b.get('k')).toBe('load 2')
    expect(records).toMatchObject([
      { event: 'load', background: false },
      { event: 'hit' },
      { event: 'load', background: true, leased: true },
      { event: 'refresh', reason: 'early', outcome: 'refreshed' },
    ])
  })

  it('never refreshes at the other end of its random share', async () => {
    const fleet = openFleet({ refresh: 'xfetch', ttl: '10s', random: never })
    await storedAfter(fleet, 100)
    await fleet.clock.advance(9_899)
    await fleet.a.getOrSet('k', fleet.source.takes(100))
    await fleet.clock.settle()
    expect(fleet.source.loads).toBe(1)
  })

  it('refreshes the earlier the longer the load took, and the larger beta is', async () => {
    const early = async (beta: number, loadMs: number): Promise<number> => {
      const fleet = openFleet({ refresh: { strategy: 'xfetch', beta }, ttl: '100s', random: seededRandom(1) })
      await storedAfter(fleet, loadMs)
      const began = fleet.clock.now()
      while (fleet.source.loads < 2) {
        await fleet.clock.advance(50)
        await fleet.a.getOrSet('k', fleet.source.takes(loadMs))
      }
      return began + 100_000 - fleet.clock.now()
    }
    const [base, longer, eager] = [await early(1, 100), await early(1, 1000), await early(10, 100)]
    expect(base).toBeGreaterThan(0)
    expect(longer).toBeGreaterThan(base)
    expect(eager).toBeGreaterThan(base)
  })

  it('does not refresh a value that took no time to load, such as one that was set', async () => {
    const { a, clock, source, until } = openFleet({ refresh: 'xfetch', ttl: '10s', random: always })
    await until(a.set('k', 'set'))
    await clock.advance(9999)
    await a.getOrSet('k', source.takes(10))
    await clock.settle()
    expect(source.loads).toBe(0)
  })
})

describe('a refresh window', () => {
  const windowed = (probability: number) => ({ refresh: { strategy: 'window', window: '2s', probability }, ttl: '10s' }) as const

  it('refreshes within it and not before', async () => {
    const fleet = openFleet(windowed(1))
    const { a, clock, source } = fleet
    await storedAfter(fleet, 10)
    await clock.advance(7999)
    await a.getOrSet('k', source.takes(10))
    await clock.settle()
    expect(source.loads).toBe(1)
    await clock.advance(1)
    await a.getOrSet('k', source.takes(10))
    await clock.advance(10)
    expect(source.loads).toBe(2)
  })

  it('refreshes with its probability: 0 never does', async () => {
    const fleet = openFleet(windowed(0))
    await storedAfter(fleet, 10)
    await fleet.clock.advance(9000)
    for (let reads = 0; reads < 50; reads++) await fleet.a.getOrSet('k', fleet.source.takes(10))
    await fleet.clock.settle()
    expect(fleet.source.loads).toBe(1)
  })
})

describe('any refresh', () => {
  const options = { refresh: { strategy: 'window', window: '5s', probability: 1 }, ttl: '10s', lease: '1s' } as const

  async function nearItsEnd(extra = {}): Promise<Fleet> {
    const fleet = openFleet({ ...options, ...extra })
    await storedAfter(fleet, 100)
    await fleet.clock.advance(6000)
    return fleet
  }

  it('runs once in the whole fleet', async () => {
    const { caches, clock, source } = await nearItsEnd()
    for (let ms = 0; ms < 90; ms++) {
      expect(await caches[ms % 3]!.getOrSet('k', source.takes(100))).toBe('load 1')
      await clock.advance(1)
    }
    await clock.advance(100)
    expect(source.loads).toBe(2)
  })

  it('stays quiet after "busy" until the other’s lease has ended, and never waits for it', async () => {
    const { a, b, clock, source, store } = await nearItsEnd()
    const records = watch(b, 'refresh', 'wait')
    await a.getOrSet('k', source.takes(600))
    await clock.settle()
    const before = store.count('acquire', 1)
    for (let ms = 0; ms < 500; ms += 10) {
      await b.getOrSet('k', source.takes(600))
      await clock.advance(10)
    }
    expect(store.count('acquire', 1)).toBe(before + 1)
    await clock.advance(200)
    expect(store.count('wake'), 'nobody asked to be woken').toBe(0)
    expect(records).toMatchObject([{ event: 'refresh', outcome: 'busy' }])
  })

  it('does not happen where it is switched off', async () => {
    const { a, clock, source } = await nearItsEnd()
    await a.getOrSet('k', source.takes(100), { refresh: false })
    await clock.settle()
    expect(source.loads).toBe(1)
  })

  it('keeps the entry when it fails, tells no caller, and pauses for a lease', async () => {
    const { a, clock, source } = await nearItsEnd()
    const records = watch(a, 'refresh', 'miss')
    await a.getOrSet('k', source.fails(10))
    await clock.advance(10)
    for (let ms = 0; ms < 900; ms += 100) {
      expect(await a.getOrSet('k', source.fails(10))).toBe('load 1')
      await clock.advance(100)
    }
    expect(source.loads).toBe(2)
    await clock.advance(100)
    await a.getOrSet('k', source.takes(10))
    await clock.advance(10)
    expect(await a.get('k')).toBe('load 3')
    expect(records).toMatchObject([{ outcome: 'failed' }, { outcome: 'refreshed' }])
  })

  it('drops its value when a delete came meanwhile', async () => {
    const { a, b, clock, source, until } = await nearItsEnd()
    const records = watch(a, 'refresh')
    await a.getOrSet('k', source.takes(100))
    await clock.advance(50)
    await until(b.delete('k'))
    await clock.advance(100)
    expect(await b.get('k')).toBeUndefined()
    expect(records).toMatchObject([{ outcome: 'superseded' }])
  })

  it.each([
    ['the store is full', (): Fault => answered('full')],
    ['its commit is not answered', (): Fault => lostRequest()],
  ])('pauses for a lease as well when %s', async (_name, fault) => {
    const { a, clock, source, store } = await nearItsEnd()
    const records = watch(a, 'refresh')
    store.script = ({ command }) => (command === 'commit' ? fault() : undefined)
    for (let ms = 0; ms < 1000; ms += 10) {
      await a.getOrSet('k', source.takes(10))
      await clock.advance(10)
    }
    expect(source.loads).toBe(2)
    expect(records).toMatchObject([{ outcome: 'not-stored' }])
  })

  it('pauses for a lease when its loader had nothing to store', async () => {
    const { a, clock, source } = await nearItsEnd()
    for (let ms = 0; ms < 1000; ms += 10) {
      expect(await a.getOrSet('k', source.returns(10, undefined))).toBe('load 1')
      await clock.advance(10)
    }
    expect(source.loads).toBe(2)
  })

  it('is dropped when another process has refreshed already', async () => {
    const { a, b, clock, source, store, until } = await nearItsEnd()
    const records = watch(a, 'refresh')
    store.script = ({ command, client }) =>
      command === 'acquire' && client === 0 ? { kind: 'slow', requestMs: 50, replyMs: 0 } : undefined
    await a.getOrSet('k', source.takes(10))
    await until(b.set('k', 'set'))
    await clock.advance(100)
    expect(records).toMatchObject([{ outcome: 'superseded' }])
    expect(source.loads).toBe(1)
  })

  it('does not load when the store cannot grant a lease', async () => {
    const { a, clock, source, store } = await nearItsEnd()
    store.script = ({ command }) => (command === 'acquire' ? refused() : undefined)
    expect(await a.getOrSet('k', source.takes(10))).toBe('load 1')
    await clock.advance(100)
    expect(source.loads).toBe(1)
  })

  it('has a pool that may be full, in which case callers notice nothing', async () => {
    const fleet = openFleet({ ...options, maxRefreshes: 2 })
    const { a, clock, source, until } = fleet
    const records = watch(a, 'refresh')
    const keys = ['k1', 'k2', 'k3']
    await until(Promise.all(keys.map(key => a.getOrSet(key, source.takes(10)))))
    await clock.advance(9000)
    for (const key of keys) expect(await a.getOrSet(key, source.takes(100))).toMatch(/load/)
    await clock.settle()
    expect(source.running).toBe(2)
    expect(records).toMatchObject([{ key: 'k3', outcome: 'full' }])
    await clock.advance(100)
    await a.getOrSet('k3', source.takes(100))
    await clock.advance(100)
    expect(records.map(({ key, outcome }) => `${key} ${outcome}`)).toEqual([
      'k3 full',
      'k1 refreshed',
      'k2 refreshed',
      'k3 refreshed',
    ])
  })

  it('does not keep a caller of the key from loading once the value is gone', async () => {
    const { a, clock, source } = await nearItsEnd()
    await a.getOrSet('k', source.takes(6000))
    await clock.advance(4500)
    const call = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(1500)
    expect(call.value).toBe('load 2')
    expect(source.loads).toBe(2)
  })
})
