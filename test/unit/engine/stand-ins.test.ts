import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { refused } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

const force = { forceFresh: true }

describe('what may stand in for a load that failed', () => {
  it('is a value within staleWhileRevalidate, too', async () => {
    const { a, clock, source, until } = openFleet({ ttl: '1s', staleWhileRevalidate: '1m' })
    const records = watch(a, 'stale')
    await until(a.set('k', 'old'))
    await clock.advance(2000)
    expect(await until(a.getOrSet('k', source.fails(10), force))).toBe('old')
    expect(records).toMatchObject([{ reason: 'load-failed', staleMs: 1010 }])
  })

  it('is a value that came meanwhile, which is a hit', async () => {
    const { a, b, clock, source, until } = openFleet({ staleIfError: '1m', lease: '10s' })
    const records = watch(a, 'hit', 'stale', 'miss')
    void a.getOrSet('k', source.fails(100)).catch(() => {})
    await clock.advance(50)
    const joined = a.getOrSet('k', source.fails(100))
    await until(b.set('k', 'set'))
    expect(await until(joined)).toBe('set')
    expect(records).toMatchObject([
      { event: 'hit', ageMs: 50 },
      { event: 'hit', ageMs: 50, durationMs: 50 },
    ])
  })

  it('is no hit for who forced the load, nor when it was expired by hand', async () => {
    const { a, source, until } = openFleet({ staleIfError: '1m' })
    const records = watch(a, 'hit', 'stale')
    await until(a.set('k', 'old'))
    await until(a.getOrSet('k', source.fails(10), force))
    await until(a.expire('k'))
    const calls = [1, 2].map(() => a.getOrSet('k', source.fails(10)))
    await until(Promise.all(calls))
    expect(records).toMatchObject([
      { event: 'stale', reason: 'load-failed', staleMs: 0 },
      { event: 'stale', reason: 'load-failed', staleMs: 0 },
      { event: 'stale', reason: 'load-failed', staleMs: 0 },
    ])
  })

  it('is nothing when the store fails as it is asked: the call hears what the load threw', async () => {
    const { a, clock, source, store, until } = openFleet({ staleIfError: '1m' })
    const records = watch(a, 'store-error')
    await until(a.set('k', 'old'))
    store.script = ({ command }) => (command === 'read' ? refused() : undefined)
    const call = track(clock, a.getOrSet('k', source.fails(10), { ...force, staleIfError: '1m' }))
    await clock.advance(10)
    expect(call.error).toMatchObject({ message: 'the source is down' })
    expect(records).toMatchObject([{ command: 'read', outcome: 'not-executed' }])
  })

  it('is not looked for again in a store that has failed the call', async () => {
    const { a, clock, source, store } = openFleet({ staleIfError: '1m' }, ({ command }) =>
      command === 'read' ? refused() : undefined,
    )
    const call = track(clock, a.getOrSet('k', source.fails(10)))
    await clock.advance(10)
    expect(call.state).toBe('rejected')
    expect(store.count('read')).toBe(1)
  })
})

describe('the soft timeout', () => {
  const options = { ttl: '1s', staleIfError: '1m', timeout: { soft: '50ms', hard: '10s' } } as const

  it('leaves the load to itself: its loader is not aborted', async () => {
    const { a, clock, source, until } = openFleet(options)
    await until(a.set('k', 'old'))
    await clock.advance(2000)
    const call = track(clock, a.getOrSet('k', source.takes(500)))
    await clock.advance(60)
    expect(call).toMatchObject({ state: 'fulfilled', value: 'old', at: 2050 })
    expect(source.contexts[0]!.signal.aborted).toBe(false)
  })

  it('leaves neither timer nor listener behind when the load comes first', async () => {
    const { a, clock, source, until } = openFleet(options)
    const { signal } = new AbortController()
    await until(a.getOrSet('k', source.takes(10), { signal }))
    expect(clock.pendingTimers).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('passes on what a store throws that is no failure of the store', async () => {
    const { a, clock, source, store } = openFleet(options)
    store.script = ({ command, nth }) => (command === 'read' && nth > 1 ? refused(new TypeError('a bug')) : undefined)
    const calls = [1, 2].map(() => track(clock, a.getOrSet('k', source.takes(500))))
    await clock.settle()
    await clock.advance(60)
    expect(calls[1]!.error).toMatchObject({ message: 'a bug' })
  })
})

describe('a miss', () => {
  it('long after the process began is charged for its own read alone, and loaded under a lease', async () => {
    const { a, b, clock, source, until } = openFleet()
    await clock.advance(1_000_000)
    await until(a.getOrSet('k', source.takes(10)))
    expect(await b.get('k')).toBe('load 1')
  })

  it('whose value the codec cannot read back fails by name', async () => {
    const codec = {
      name: 'write-only',
      id: 201,
      serialize: (value: unknown) => Buffer.from(String(value)),
      deserialize() {
        throw new Error('cannot read')
      },
    }
    const { a, source, until } = openFleet({ codec })
    await expect(until(a.getOrSet('k', source.takes(10)))).rejects.toMatchObject({
      code: 'UNSERIALIZABLE_VALUE',
      key: 'k',
      message: expect.stringContaining('cannot read back'),
    })
    expect([await a.getEntry('k'), await a.get('k')]).toEqual([undefined, undefined])
  })

  it('of a key that cools down names the option', async () => {
    const { a, source, until } = openFleet({ errorCooldown: '5s' })
    await until(a.getOrSet('k', source.fails(10)).catch(() => {}))
    await expect(until(a.getOrSet('k', source.takes(10)))).rejects.toMatchObject({
      code: 'LOAD_COOLING',
      option: 'errorCooldown',
    })
  })
})

describe('get', () => {
  it('reports a store that fails', async () => {
    const { a, until } = openFleet({}, () => refused())
    const records = watch(a, 'store-error')
    await until(a.get('k'))
    expect(records).toMatchObject([{ command: 'read' }])
  })
})
