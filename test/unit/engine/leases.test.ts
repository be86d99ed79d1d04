import { describe, expect, it } from 'vitest'
import type { RenewRequest } from '../../../src/core/ports.ts'
import { inTurn, lostReply, lostRequest, refused } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

describe('a lease', () => {
  it('is renewed every third of its length while the loader runs, and not after', async () => {
    const { a, clock, source, store } = openFleet({ lease: '900ms' })
    void a.getOrSet('k', source.takes(1000))
    await clock.advance(10_000)
    const renewals = store.calls.filter(({ command }) => command === 'renew')
    expect(renewals.map(({ sentAt }) => sentAt)).toEqual([300, 600, 900])
    expect(renewals.map(({ request }) => (request as RenewRequest).leaseMs)).toEqual([900, 900, 900])
  })

  it('is renewed from one timer, however many are held', async () => {
    const { a, clock, source } = openFleet({ lease: '900ms' })
    for (let key = 0; key < 20; key++) void a.getOrSet(`k${key}`, source.takes(60_000), { timeout: { hard: '1d' } })
    await clock.settle()
    // For each call its own timeout, the load's and the loader's; beside them the one that renews.
    expect(clock.pendingTimers).toBe(20 * 3 + 1)
  })

  it('survives renewals that time out: a timeout is not a loss', async () => {
    const { a, b, clock, source } = openFleet({ lease: '900ms' }, inTurn({ renew: [lostRequest(), lostReply(), refused()] }))
    const records = watch(a, 'lost', 'store-error')
    const loaded = track(clock, a.getOrSet('k', source.takes(2000)))
    const waiter = track(clock, b.getOrSet('k', source.takes(2000)))
    await clock.advance(3000)
    expect([loaded.value, waiter.value]).toEqual(['load 1', 'load 1'])
    expect(records).toMatchObject([
      { event: 'store-error', command: 'renew', code: 'STORE_TIMEOUT', outcome: 'unknown' },
      { event: 'store-error', command: 'renew', code: 'STORE_TIMEOUT', outcome: 'unknown' },
      { event: 'store-error', command: 'renew', code: 'STORE_UNAVAILABLE', outcome: 'not-executed' },
    ])
  })

  it('that ran out unrenewed is lost, and a value stored since is not overwritten', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '300ms' })
    const records = watch(a, 'lost', 'commit')
    store.script = ({ command, client, nth }) => (command === 'renew' && client === 0 && nth <= 4 ? lostRequest() : undefined)
    const first = track(clock, a.getOrSet('k', source.takes(1000)))
    await clock.advance(1)
    const second = track(clock, b.getOrSet('k', source.takes(100)))
    await clock.advance(1500)
    expect([first.value, second.value]).toEqual(['load 1', 'load 2'])
    expect(await b.get('k')).toBe('load 2')
    expect(records).toMatchObject([
      { event: 'lost', heldMs: 500 },
      { event: 'commit', outcome: 'lost' },
    ])
  })

  it('that is lost does not stop a load that a caller waits on', async () => {
    const { a, b, clock, source, until } = openFleet({ lease: '300ms' })
    const call = track(clock, a.getOrSet('k', source.takes(1000)))
    await clock.advance(50)
    await until(b.delete('k'))
    await clock.advance(500)
    expect(source.contexts[0]!.signal.aborted).toBe(false)
    await clock.advance(500)
    expect(call.value).toBe('load 1')
  })

  it('that is lost ends a background refresh', async () => {
    const { a, b, clock, source, until } = openFleet({ lease: '300ms', ttl: '1s', staleWhileRevalidate: '1m' })
    const records = watch(a, 'refresh', 'lost', 'load')
    await until(a.set('k', 'old'))
    await clock.advance(1001)
    const cut = source.runs<string>(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    expect(await a.getOrSet('k', cut)).toBe('old')
    await clock.advance(50)
    await until(b.delete('k'))
    await clock.advance(60)
    expect(source.contexts[0]!.signal.aborted).toBe(true)
    expect(records).toMatchObject([
      { event: 'lost', heldMs: 100 },
      { event: 'load', outcome: 'aborted', background: true },
      { event: 'refresh', reason: 'stale', outcome: 'superseded' },
    ])
  })

  it('belongs to one attempt: no token is used twice', async () => {
    const { a, clock, source, store, until } = openFleet()
    for (let times = 0; times < 3; times++) {
      await until(a.getOrSet('k', source.fails(10)).catch(() => {}))
      await clock.advance(2000)
    }
    const tokens = store.calls
      .filter(({ command }) => command === 'acquire')
      .map(({ request }) => (request as RenewRequest).token)
    expect(new Set(tokens.map(token => token.toString('hex'))).size).toBe(3)
  })

  it('has its length from the call, the cache or the default', async () => {
    const { a, source, store, until } = openFleet({ lease: '2s' })
    await until(a.getOrSet('k', source.takes(10)))
    await until(a.getOrSet('other', source.takes(10), { lease: '3s' }))
    const lengths = store.calls
      .filter(({ command }) => command === 'acquire')
      .map(({ request }) => (request as RenewRequest).leaseMs)
    expect(lengths).toEqual([2000, 3000])
  })
})
