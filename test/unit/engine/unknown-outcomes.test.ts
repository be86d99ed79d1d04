import { describe, expect, it } from 'vitest'
import type { AcquireRequest, CommitRequest } from '../../../src/core/ports.ts'
import { answered, inTurn, lostReply, lostRequest, slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

describe('an acquire whose outcome is unknown', () => {
  it.each([
    ['granted', lostReply()],
    ['never executed', lostRequest()],
    ['executed too late', slow(500)],
  ])('is tried again with a new token that replaces the dead one, when it was %s', async (_name, fault) => {
    const { a, b, source, store, until } = openFleet({}, inTurn({ acquire: [fault] }))
    expect(await until(a.getOrSet('k', source.takes(1000)))).toBe('load 1')
    const [first, second] = store.calls
      .filter(({ command }) => command === 'acquire')
      .map(({ request }) => request as AcquireRequest)
    expect(second!.dead).toEqual([first!.token])
    expect(second!.token).not.toEqual(first!.token)
    const used = store.calls.filter(({ command }) => command === 'renew' || command === 'commit')
    for (const { request } of used) expect((request as CommitRequest).token).toEqual(second!.token)
    expect(await b.get('k')).toBe('load 1')
  })

  it('goes to the loader without a lease when no try was answered, and stores nothing', async () => {
    const { a, b, clock, source, store } = openFleet({}, ({ command }) => (command === 'acquire' ? lostReply() : undefined))
    const records = watch(a, 'miss', 'load', 'store-error')
    const call = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(200)
    expect(call).toMatchObject({ value: 'load 1', at: 160 })
    expect(store.count('commit') + store.count('renew') + store.count('put')).toBe(0)
    expect(records).toMatchObject([
      { event: 'store-error', command: 'acquire', outcome: 'unknown' },
      { event: 'store-error', command: 'acquire', outcome: 'unknown' },
      { event: 'load', leased: false, outcome: 'value' },
      { event: 'miss', outcome: 'unleased' },
    ])
    expect(await b.get('k')).toBeUndefined()
  })

  it('leaves no lease behind: what it may have been granted is released', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '10s' }, ({ command, client }) =>
      command === 'acquire' && client === 0 ? lostReply() : undefined,
    )
    void a.getOrSet('k', source.takes(10))
    await clock.advance(1)
    const other = track(clock, b.getOrSet('k', source.takes(0)))
    await clock.advance(200)
    expect(other.state).toBe('fulfilled')
    expect(store.count('release')).toBe(2)
  })

  it('that comes late by the server is tried again, and given up after three times', async () => {
    const retried = openFleet({}, inTurn({ acquire: [answered({ kind: 'late' }), answered({ kind: 'late' })] }))
    expect(await retried.until(retried.a.getOrSet('k', retried.source.takes(10)))).toBe('load 1')
    expect(await retried.b.get('k')).toBe('load 1')

    const hopeless = openFleet({}, ({ command }) => (command === 'acquire' ? answered({ kind: 'late' }) : undefined))
    expect(await hopeless.until(hopeless.a.getOrSet('k', hopeless.source.takes(10)))).toBe('load 1')
    expect(hopeless.store.count('acquire')).toBe(3)
    expect(await hopeless.b.get('k')).toBeUndefined()
  })
})

describe('a commit whose outcome is unknown', () => {
  it('is sent again, and the repeat of one that landed is good', async () => {
    const { a, b, clock, source, store } = openFleet({}, inTurn({ commit: [lostReply()] }))
    const records = watch(a, 'commit')
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(150)
    expect([first.value, joined.value]).toEqual(['load 1', 'load 1'])
    expect(await b.get('k')).toBe('load 1')
    expect(records).toMatchObject([{ outcome: 'stored' }])
    expect(store.count('commit')).toBe(2)
  })

  it('revokes the load for late joiners when no try was answered, and gives up the lease', async () => {
    const { a, clock, source, store } = openFleet({ commandTimeout: '50ms' }, inTurn({ commit: [lostReply(), lostReply()] }))
    const records = watch(a, 'commit')
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(1000)
    expect(first.value).toBe('load 1')
    expect(joined.value, 'it had landed, so the joiner finds it by a read of its own').toBe('load 1')
    expect(records).toMatchObject([{ outcome: 'unknown' }])
    expect(store.count('release')).toBe(1)
    expect(source.loads).toBe(1)
  })

  it('makes late joiners load anew when it had not landed', async () => {
    const { a, clock, source } = openFleet({ commandTimeout: '50ms' }, inTurn({ commit: [lostRequest(), lostRequest()] }))
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(1000)
    expect([first.value, joined.value]).toEqual(['load 1', 'load 2'])
  })

  it('changes nothing when it arrives after its caller gave up', async () => {
    const { a, b, clock, source } = openFleet({ commandTimeout: '50ms' }, inTurn({ commit: [slow(60), slow(60)] }))
    const call = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(1000)
    expect(call.value).toBe('load 1')
    expect(await b.get('k')).toBeUndefined()
  })

  it('does not overwrite a set that came between its tries', async () => {
    const { a, b, clock, source, until } = openFleet({}, inTurn({ commit: [lostRequest()] }))
    void a.getOrSet('k', source.takes(100))
    await clock.advance(150)
    await until(b.set('k', 'set'))
    await clock.advance(1000)
    expect(await b.get('k')).toBe('set')
  })
})

describe('a commit that is late by the server', () => {
  it('is reported once, gives up the lease and revokes the load for late joiners', async () => {
    const { a, clock, source, store } = openFleet({}, inTurn({ commit: [answered('late')] }))
    const records = watch(a, 'commit')
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(1000)
    expect([first.value, joined.value]).toEqual(['load 1', 'load 2'])
    expect(records).toMatchObject([{ outcome: 'late' }, { outcome: 'stored' }])
    expect(store.count('release')).toBe(1)
  })
})

describe('a set whose outcome is unknown', () => {
  it.each([
    ['stored', lostReply()],
    ['never executed', lostRequest()],
    ['executed too late', slow(500)],
    ['late by the server', answered('late')],
  ])('is followed by a remove, so that nothing old survives it, when it was %s', async (_name, fault) => {
    const { a, b, clock, store, until } = openFleet({}, inTurn({ put: [undefined, fault] }))
    const records = watch(a, 'set')
    await until(a.set('k', 'old'))
    await until(a.set('k', 'new'))
    await clock.advance(1000)
    expect(await b.get('k')).toBeUndefined()
    const writes = store.calls.filter(({ command }) => command === 'put' || command === 'remove')
    expect(writes.map(({ command }) => command)).toEqual(['put', 'put', 'remove'])
    expect(records.map(({ outcome }) => outcome)).toEqual(['stored', 'unknown'])
  })
})

describe('a delete whose outcome is unknown', () => {
  it('is sent again', async () => {
    const { a, b, store, until } = openFleet({}, inTurn({ remove: [lostRequest()] }))
    await until(a.set('k', 'old'))
    await until(a.delete('k'))
    expect(await b.get('k')).toBeUndefined()
    expect(store.count('remove')).toBe(2)
  })

  it('is deferred when no try was answered', async () => {
    const { a, store, until } = openFleet({}, ({ command }) => (command === 'remove' ? lostReply() : undefined))
    expect(await until(a.delete('k'))).toBe('deferred')
    expect(store.count('remove')).toBe(2)
  })
})
