import { describe, expect, it } from 'vitest'
import { inTurn, lostRequest, refused, slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

const force = { forceFresh: true }

describe('a flight', () => {
  it('whose load has not begun stays open through a delete: those before and after it share its one load', async () => {
    const { a, clock, source, store, until } = openFleet({}, ({ command }) => (command === 'acquire' ? slow(0, 50) : undefined))
    const before = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(10)
    await until(a.delete('k'))
    const after = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(500)
    expect([before.value, after.value]).toEqual(['load 1', 'load 1'])
    expect(store.count('acquire')).toBe(1)
  })

  it('that was revoked leaves its successor open when it ends', async () => {
    const { a, clock, source, store, until } = openFleet()
    const calls = [track(clock, a.getOrSet('k', source.takes(100)))]
    await clock.advance(50)
    await until(a.delete('k'))
    calls.push(track(clock, a.getOrSet('k', source.takes(200))))
    await clock.advance(100)
    expect(calls.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
    calls.push(track(clock, a.getOrSet('k', source.takes(200))))
    await clock.settle()
    expect(store.count('read'), 'the third call joins and need not read').toBe(2)
    await clock.advance(100)
    expect(calls.map(({ value }) => value)).toEqual(['load 1', 'load 2', 'load 2'])
  })

  it('that waits for a lease shares what its next request brings with those who join meanwhile', async () => {
    const { a, b, clock, source, store } = openFleet()
    void a.getOrSet('k', source.takes(100))
    const first = track(clock, b.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    const joined = track(clock, b.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    expect([first.value, joined.value]).toEqual(['load 1', 'load 1'])
    expect(store.count('read', 1)).toBe(1)
  })

  it('that everyone has left by their timeouts asks no more, and keeps nobody who comes later', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '1s' })
    const records = watch(b, 'wait')
    const holder = track(clock, a.getOrSet('k', source.takes(10_000)))
    const left = track(clock, b.getOrSet('k', source.takes(1), { timeout: { hard: '500ms' } }))
    await clock.advance(5000)
    expect(left).toMatchObject({ state: 'rejected', at: 500 })
    expect(store.count('acquire', 1), 'one more look would be at the end of the lease').toBe(1)
    expect(records).toMatchObject([{ outcome: 'gave-up' }])
    expect(source.loads, 'nobody loads for those who have left').toBe(1)
    const later = track(clock, b.getOrSet('k', source.takes(1)))
    await clock.advance(5000)
    expect([holder.value, later.value]).toEqual(['load 1', 'load 1'])
  })
})

describe('forceFresh behind another forced load', () => {
  it('does not give those who joined it a load that began before them', async () => {
    const { a, b, c, clock, source, store } = openFleet({}, call =>
      // Later requests of b arrive after those of c.
      call.command === 'acquire' && call.client === 1 && call.sentAt > 50 ? slow(5) : undefined,
    )
    void a.getOrSet('k', source.takes(100))
    await clock.advance(10)
    const first = track(clock, b.getOrSet('k', source.takes(100), force))
    void c.getOrSet('k', source.takes(100), force)
    await clock.advance(140)
    expect(source.loads, 'c loads and b waits for it').toBe(2)
    const joined = track(clock, b.getOrSet('k', source.takes(100), force))
    await clock.advance(1000)
    expect(store.count('read', 1)).toBe(0)
    expect([first.value, joined.value]).toEqual(['load 2', 'load 3'])
  })

  it('does not take what stood there before, when the other load stores nothing', async () => {
    const { a, b, clock, source, until } = openFleet()
    await until(a.set('k', 'old'))
    const failed = track(clock, a.getOrSet('k', source.fails(100), force))
    await clock.advance(50)
    const second = track(clock, b.getOrSet('k', source.takes(100), force))
    await clock.advance(500)
    expect([failed.state, second.value]).toEqual(['rejected', 'load 2'])
  })
})

describe('a load without a lease', () => {
  it('that began between the tries of a delete does not answer those who come after it', async () => {
    const script = inTurn({ remove: [lostRequest()] })
    const { a, clock, source, until } = openFleet({}, call => {
      if (call.command === 'remove') return script(call)
      return call.command === 'read' || call.command === 'acquire' ? refused() : undefined
    })
    const deleted = a.delete('k')
    await clock.advance(50)
    const during = track(clock, a.getOrSet('k', source.takes(200)))
    await until(deleted)
    const after = track(clock, a.getOrSet('k', source.takes(200)))
    await clock.advance(500)
    expect([during.value, after.value]).toEqual(['load 1', 'load 2'])
  })

  it.each([
    ['its request is not answered', lostRequest()],
    ['the store is full', { kind: 'answered', reply: { kind: 'full' } } as const],
  ])('is shared by all who come while it runs when %s', async (_name, fault) => {
    const { a, clock, source } = openFleet({}, ({ command }) => (command === 'acquire' ? fault : undefined))
    const calls = [track(clock, a.getOrSet('k', source.takes(1000)))]
    await clock.advance(500)
    expect(source.running).toBe(1)
    calls.push(track(clock, a.getOrSet('k', source.takes(1000))))
    await clock.advance(1000)
    expect(calls.map(({ value }) => value)).toEqual(['load 1', 'load 1'])
  })

  it('that hangs is given up at its hard timeout, since it holds nothing', async () => {
    const { a, clock, source } = openFleet({ timeout: { hard: '1s' } }, ({ command }) =>
      command === 'acquire' ? { kind: 'answered', reply: { kind: 'unqueued' } } : undefined,
    )
    const records = watch(a, 'load')
    void a.getOrSet('k', source.hangs()).catch(() => {})
    await clock.advance(1000)
    expect(records).toMatchObject([{ outcome: 'timeout', leased: false, durationMs: 1000 }])
  })
})
