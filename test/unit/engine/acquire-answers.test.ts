import { describe, expect, it } from 'vitest'
import type { ReleaseRequest } from '../../../src/core/ports.ts'
import { answered, inTurn, lostReply, lostRequest, refused } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

describe('an acquire', () => {
  it('that was not executed is not sent again: the call goes on without a lease', async () => {
    const { a, clock, source, store } = openFleet({}, inTurn({ acquire: [refused()] }))
    const call = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(10)
    expect(call.value).toBe('load 1')
    expect([store.count('acquire'), store.count('release')]).toEqual([1, 0])
  })

  it('that was given up is released without a mark', async () => {
    const { a, clock, source, store } = openFleet({}, ({ command }) => (command === 'acquire' ? lostReply() : undefined))
    void a.getOrSet('k', source.takes(10))
    await clock.advance(500)
    const releases = store.calls.filter(({ command }) => command === 'release').map(({ request }) => request as ReleaseRequest)
    expect(releases.map(({ marker }) => marker)).toEqual([{ kind: 'none' }, { kind: 'none' }])
  })

  it.each([
    ['without a token', false, 2],
    ['without a token', true, 2],
    ['though it was to bring none', true, 100],
  ])('that brings unreadable bytes %s is not repeated for ever (forceFresh: %s)', async (_what, forceFresh, length) => {
    const { a, clock, source, store } = openFleet({}, ({ command }) =>
      command === 'acquire' ? answered({ kind: 'value', bytes: Buffer.alloc(length) }) : undefined,
    )
    const records = watch(a, 'decode-error', 'miss')
    const call = track(clock, a.getOrSet('k', source.takes(10), { forceFresh }))
    await clock.advance(10)
    expect(call.value).toBe('load 1')
    expect(store.count('acquire')).toBe(1)
    expect(records).toMatchObject([{ bytes: length }, { outcome: 'unleased' }])
  })
})

describe('a call that waits for a lease', () => {
  it.each([
    [100, 105],
    [1000, 1025],
    [10_000, 10_025],
  ])('looks again a random share of 50 ms, or of a tenth of the lease, after the end of a lease of %i ms', async (lease, at) => {
    const random = { next: () => 0.5, token: () => Buffer.alloc(16, 'w') }
    const { a, clock, source, store } = openFleet({ lease }, ({ command, client }) =>
      client === 0 && command !== 'acquire' && command !== 'read' ? lostRequest() : undefined,
    )
    void a.getOrSet('k', source.hangs()).catch(() => {})
    await clock.settle()
    const waiting = openFleet({ lease, random, store, clock })
    void waiting.a.getOrSet('k', source.takes(10))
    await clock.advance(lease + 60)
    const asked = store.calls.filter(({ command, client }) => command === 'acquire' && client >= 3).map(({ sentAt }) => sentAt)
    expect(asked).toEqual([0, at])
  })

  it('says in its records how the wait ended: with a store that fails', async () => {
    const { a, b, clock, source, store } = openFleet()
    const records = watch(b, 'wait', 'miss')
    void a.getOrSet('k', source.takes(100))
    const call = track(clock, b.getOrSet('k', source.takes(10)))
    await clock.advance(50)
    store.script = ({ command, client }) => (command === 'acquire' && client === 1 ? refused() : undefined)
    await clock.advance(60)
    expect(call.value).toBe('load 2')
    expect(records).toMatchObject([
      { event: 'wait', outcome: 'store-failed', waitedMs: 100 },
      { event: 'miss', outcome: 'unleased' },
    ])
  })

  it('says in its records how the wait ended: with a store that has no room', async () => {
    const { a, b, clock, source, store } = openFleet()
    const records = watch(b, 'wait', 'miss')
    void a.getOrSet('k', source.takes(100))
    void b.getOrSet('k', source.takes(10))
    await clock.advance(50)
    store.script = ({ command, client }) => (command === 'acquire' && client === 1 ? answered({ kind: 'full' }) : undefined)
    await clock.advance(60)
    expect(records).toMatchObject([
      { event: 'wait', outcome: 'store-failed' },
      { event: 'miss', outcome: 'unleased' },
    ])
  })

  it('says in its records how the wait ended: with leave to load beside another', async () => {
    const { a, b, c, clock, source } = openFleet()
    const records = [b, c].map(cache => watch(cache, 'wait'))
    for (const cache of [a, b, c]) void cache.getOrSet('k', source.returns(100, undefined))
    await clock.advance(200)
    expect(records.flat().map(({ outcome }) => outcome)).toEqual(['granted', 'unqueued'])
  })

  it('says in its records how the wait ended: with a cooldown', async () => {
    const { a, b, clock, source } = openFleet({ errorCooldown: '5s' })
    const records = watch(b, 'wait')
    for (const cache of [a, b]) cache.getOrSet('k', source.fails(100)).catch(() => {})
    await clock.advance(200)
    expect(records).toMatchObject([{ outcome: 'cooling', waitedMs: 100 }])
  })
})

describe('a refresh', () => {
  const options = { ttl: '1s', staleWhileRevalidate: '1m', lease: '500ms' } as const

  it('of a key whose loads store nothing is left to the process that loads it already', async () => {
    const { a, b, clock, source, until } = openFleet(options)
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    await a.getOrSet('k', source.returns(10, undefined))
    await clock.advance(100)
    const held = track(clock, a.getOrSet('k', source.returns(400, undefined), { forceFresh: true }))
    await clock.settle()
    const records = watch(b, 'refresh')
    expect(await b.getOrSet('k', source.takes(10))).toBe('old')
    await clock.advance(100)
    expect(await b.getOrSet('k', source.takes(10)), 'quiet for a lease').toBe('old')
    await clock.advance(50)
    expect(records).toMatchObject([{ outcome: 'busy' }])
    expect([held.state, source.loads]).toEqual(['pending', 2])
  })

  it('that the store grants no lease is offered again only after one', async () => {
    const { a, clock, source, store, until } = openFleet(options, ({ command }) =>
      command === 'acquire' ? refused() : undefined,
    )
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    const asked = async (): Promise<number> => {
      await a.getOrSet('k', source.takes(10))
      await clock.settle()
      return store.count('acquire')
    }
    expect([await asked(), await asked()]).toEqual([1, 1])
    await clock.advance(499)
    expect(await asked()).toBe(1)
    await clock.advance(1)
    expect(await asked()).toBe(2)
  })

  it('of a key whose source has just failed fails without a load', async () => {
    const { a, b, clock, source, until } = openFleet({ ...options, errorCooldown: '5s' })
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    const records = watch(b, 'refresh')
    await a.getOrSet('k', source.fails(10))
    await clock.advance(100)
    expect(await b.getOrSet('k', source.takes(10))).toBe('old')
    await clock.settle()
    expect(records).toMatchObject([{ outcome: 'failed' }])
    expect(source.loads).toBe(1)
  })

  it('that meets a bug in the store fails, and no caller hears of it', async () => {
    const { a, clock, source, until } = openFleet(options, ({ command }) =>
      command === 'acquire' ? refused(new TypeError('a bug')) : undefined,
    )
    const records = watch(a, 'refresh')
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    expect(await a.getOrSet('k', source.takes(10))).toBe('old')
    await clock.settle()
    expect(records).toMatchObject([{ outcome: 'failed' }])
  })
})
