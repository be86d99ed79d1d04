import { describe, expect, it } from 'vitest'
import { isLeaseholdError } from '../../../src/core/errors.ts'
import { refused, slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

const stale = { ttl: '1s', staleIfError: '1h' } as const

describe('the soft timeout', () => {
  const options = { ...stale, timeout: { soft: 50, hard: 1000 } }

  it('answers with a stale value while the load goes on and is stored', async () => {
    const { a, b, clock, source, until } = openFleet(options)
    const records = watch(a, 'stale', 'miss', 'hit')
    await until(a.set('k', 'old'))
    await clock.advance(3000)
    const call = track(clock, a.getOrSet('k', source.takes(200)))
    await clock.advance(50)
    expect(call).toMatchObject({ state: 'fulfilled', value: 'old', at: 3050 })
    expect(records).toMatchObject([{ event: 'stale', reason: 'timeout', staleMs: 2050, durationMs: 50 }])
    await clock.advance(150)
    expect(await b.get('k')).toBe('load 1')
    expect(records.length).toBe(1)
  })

  it('does nothing without a stale value, or without leave to answer one', async () => {
    const { a, clock, source, until } = openFleet(options)
    const absent = track(clock, a.getOrSet('absent', source.takes(200)))
    await clock.advance(200)
    expect(absent).toMatchObject({ value: 'load 1', at: 200 })

    await until(a.set('k', 'old', { staleIfError: '1h' }))
    await clock.advance(2000)
    const began = clock.now()
    const call = track(clock, a.getOrSet('k', source.takes(200), { staleIfError: 0 }))
    await clock.advance(200)
    expect(call).toMatchObject({ value: 'load 2', at: began + 200 })
  })

  it('counts from when the caller began to wait, also for those who join later', async () => {
    const { a, clock, source, until } = openFleet(options)
    await until(a.set('k', 'old'))
    await clock.advance(2000)
    void a.getOrSet('k', source.takes(200))
    await clock.advance(30)
    const joined = track(clock, a.getOrSet('k', source.takes(200)))
    await clock.advance(49)
    expect(joined.state).toBe('pending')
    await clock.advance(1)
    expect(joined).toMatchObject({ value: 'old' })
  })

  it('does not bring back for a joiner what was deleted before he came', async () => {
    const { a, b, clock, source, until } = openFleet(options)
    await until(a.set('k', 'old'))
    await clock.advance(2000)
    void a.getOrSet('k', source.takes(500))
    await clock.advance(10)
    await until(b.delete('k'))
    const joined = track(clock, a.getOrSet('k', source.takes(500)))
    await clock.advance(300)
    expect(joined.state).toBe('pending')
  })

  it('makes one record when the load ends while the stale value is being read', async () => {
    const { a, clock, source, store, until } = openFleet(options)
    const records = watch(a, 'hit', 'stale', 'miss')
    await until(a.set('k', 'old'))
    await clock.advance(2000)
    void a.getOrSet('k', source.takes(70), { timeout: { soft: 900 } })
    await clock.advance(10)
    const joined = track(clock, a.getOrSet('k', source.takes(70)))
    store.script = ({ command }) => (command === 'read' ? slow(0, 30) : undefined)
    await clock.advance(500)
    expect(joined.value).toBe('load 1')
    expect(records).toMatchObject([
      { event: 'miss', outcome: 'loaded' },
      { event: 'miss', outcome: 'joined' },
    ])
  })

  it('rejects when the stale value cannot be looked for because of a bug in the store', async () => {
    const { a, clock, source, store } = openFleet(options)
    void a.getOrSet('k', source.takes(500), { timeout: { soft: 900 } })
    await clock.advance(10)
    const joined = track(clock, a.getOrSet('k', source.takes(500)))
    store.script = ({ command }) => (command === 'read' ? refused(new TypeError('a bug')) : undefined)
    await clock.advance(50)
    expect(joined).toMatchObject({ state: 'rejected', error: new TypeError('a bug'), at: 60 })
  })
})

describe('the hard timeout', () => {
  const options = { ...stale, lease: '300ms', timeout: { hard: '1s' } } as const

  it('answers with LOAD_TIMEOUT, and aborts the loader', async () => {
    const { a, clock, source } = openFleet(options)
    const calls = [1, 2].map(() => track(clock, a.getOrSet('k', source.hangs())))
    await clock.advance(999)
    expect(calls.map(({ state }) => state)).toEqual(['pending', 'pending'])
    expect(source.contexts[0]!.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(calls.map(({ state }) => state)).toEqual(['rejected', 'rejected'])
    for (const { error } of calls) expect(isLeaseholdError(error, 'LOAD_TIMEOUT')).toBe(true)
    expect(source.contexts[0]!.signal.reason).toMatchObject({ code: 'LOAD_TIMEOUT', key: 'k', option: 'timeout.hard' })
  })

  it('answers with a stale value where there is one', async () => {
    const { a, clock, source, until } = openFleet(options)
    const records = watch(a, 'stale')
    await until(a.set('k', 'old'))
    await clock.advance(2000)
    const call = track(clock, a.getOrSet('k', source.hangs()))
    await clock.advance(1000)
    expect(call).toMatchObject({ value: 'old' })
    expect(records).toMatchObject([{ reason: 'timeout' }])
  })

  it('keeps the lease until the loader settles, so that no second one piles onto a slow source', async () => {
    const { a, b, clock, source } = openFleet(options)
    void a.getOrSet('k', source.takes(1800)).catch(() => {})
    await clock.advance(1100)
    const again = [a, b].map(cache => track(clock, cache.getOrSet('k', source.takes(1800))))
    await clock.advance(600)
    expect(source.loads).toBe(1)
    await clock.advance(150)
    expect(again.map(({ value }) => value)).toEqual(['load 1', 'load 1'])
    expect(await b.get('k')).toBe('load 1')
  })

  it('gives the lease up after one hard timeout more: a hung loader does not own the key for ever', async () => {
    const { a, b, clock, source } = openFleet(options)
    const records = watch(a, 'load')
    void a.getOrSet('k', source.hangs()).catch(() => {})
    await clock.advance(1500)
    const waiting = track(clock, b.getOrSet('k', source.takes(10)))
    await clock.advance(499)
    expect(waiting.state).toBe('pending')
    await clock.advance(12)
    expect(waiting).toMatchObject({ value: 'load 2' })
    expect(records).toMatchObject([{ outcome: 'timeout', durationMs: 2000, leased: true, background: false }])
    expect(clock.pendingTimers).toBe(0)
  })

  it('ends a wait for another process as well', async () => {
    const { a, b, clock, source } = openFleet(options)
    void a.getOrSet('k', source.takes(5000), { timeout: { hard: '10s' } })
    await clock.advance(1)
    const waiting = track(clock, b.getOrSet('k', source.takes(10)))
    await clock.advance(1000)
    expect(waiting).toMatchObject({ state: 'rejected', error: { code: 'LOAD_TIMEOUT' } })
    await clock.advance(5000)
    expect(source.loads).toBe(1)
  })

  it('is each caller’s own', async () => {
    const { a, clock, source } = openFleet(options)
    const patient = track(clock, a.getOrSet('k', source.takes(3000), { timeout: { hard: '5s' } }))
    await clock.advance(1)
    const hasty = track(clock, a.getOrSet('k', source.takes(3000)))
    await clock.advance(1000)
    expect([patient.state, hasty.state]).toEqual(['pending', 'rejected'])
    await clock.advance(2000)
    expect(patient.value).toBe('load 1')
  })

  it('counts once for a call, however often it starts over', async () => {
    const { a, b, clock, source, until } = openFleet(options)
    void a.getOrSet('k', source.takes(800))
    await clock.advance(10)
    const joined = track(clock, a.getOrSet('k', source.hangs()))
    await clock.advance(10)
    await until(b.delete('k'))
    await clock.advance(991)
    expect(joined).toMatchObject({ state: 'rejected', error: { code: 'LOAD_TIMEOUT' } })
  })

  it('of an unleased load does not keep a hung loader’s place', async () => {
    const { a, clock, source } = openFleet(options, () => slow(Infinity))
    const first = track(clock, a.getOrSet('k', source.hangs()))
    await clock.advance(1200)
    expect(first.state).toBe('rejected')
    const second = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(200)
    expect(second.value).toBe('load 2')
  })

  it('of an unleased load ends the waiting of all who joined it: nothing goes on that could bring a value', async () => {
    const { a, clock, source } = openFleet(options, ({ command }) => (command === 'acquire' ? refused() : undefined))
    const first = track(clock, a.getOrSet('k', source.hangs()))
    await clock.advance(900)
    const joined = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(100)
    for (const call of [first, joined]) expect(call).toMatchObject({ error: { code: 'LOAD_TIMEOUT' }, at: 1000 })
    expect(source.loads).toBe(1)
  })
})

describe('the hard timeout of a caller', () => {
  it('is its own: one who joined late gets the late value of a load whose time is over', async () => {
    const { a, clock, source } = openFleet({ timeout: { hard: 500 } })
    const first = track(clock, a.getOrSet('k', source.takes(650)))
    await clock.advance(450)
    const second = track(clock, a.getOrSet('k', source.takes(650)))
    await clock.advance(300)
    expect(first).toMatchObject({ state: 'rejected', error: { code: 'LOAD_TIMEOUT' }, at: 500 })
    expect(second).toMatchObject({ value: 'load 1', at: 650 })
  })

  it('ends a wait for another process that nobody shares any more, so that the next call asks anew', async () => {
    const { a, b, clock, source } = openFleet({ lease: '20s', timeout: { hard: '1s' } })
    void b.getOrSet('k', source.hangs(), { timeout: { hard: '1m' } }).catch(() => {})
    await clock.advance(10)
    const waits = watch(a, 'wait')
    const [early, late] = [track(clock, a.getOrSet('k', source.takes(1))), track(clock, a.getOrSet('k', source.takes(1)))]
    await clock.advance(990)
    void a.getOrSet('k', source.takes(1)).catch(() => {})
    await clock.advance(10)
    expect([early, late]).toMatchObject([{ error: { code: 'LOAD_TIMEOUT' } }, { error: { code: 'LOAD_TIMEOUT' } }])
    expect(waits).toEqual([])
    await clock.advance(1_000)
    expect(waits).toMatchObject([{ outcome: 'gave-up', waitedMs: 1_990 }])
  })

  it('gives a retry right after a timeout its full time', async () => {
    const { a, clock, source } = openFleet({ timeout: { hard: 500 } })
    const first = track(clock, a.getOrSet('k', source.takes(650)))
    await clock.advance(500)
    expect(first.state).toBe('rejected')
    const retry = track(clock, a.getOrSet('k', source.takes(650)))
    await clock.advance(200)
    expect(retry).toMatchObject({ value: 'load 1', at: 650 })
  })
})
